//! `Conduct`: how a peer behaves where it may behave in more than one way.

#[cfg(feature = "mutants")]
use super::Mutant;
use super::{Habit, Habits};

/// Whether a named mutant is switched on in `$local`, anything with a `conduct`. Without the feature `mutants` it is the
/// constant `false`, the name need not exist, and nothing of the deviation is compiled.
macro_rules! mutant {
    ($local:expr, $name:ident) => {{
        #[cfg(feature = "mutants")]
        let is_on = $local.conduct.mutant == Some($crate::zab::Mutant::$name);
        #[cfg(not(feature = "mutants"))]
        let is_on = {
            let _ = &$local.conduct;
            false
        };
        is_on
    }};
}
pub(crate) use mutant;

/// How a peer behaves. The default is the hardened protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conduct {
    /// In what it behaves like a release of ZooKeeper instead.
    pub habits: Habits,
    /// A bug of ZooKeeper's history that is switched back on.
    #[cfg(feature = "mutants")]
    pub mutant: Option<Mutant>,
}

impl Conduct {
    /// Whether it has this habit.
    pub fn has(&self, habit: Habit) -> bool {
        self.habits.has(habit)
    }

    /// The same with these habits.
    pub fn with(mut self, habits: Habits) -> Conduct {
        self.habits = habits;
        self
    }

    /// The hardened protocol, or the mutant of that name. The error says in a sentence why there is none.
    #[cfg(feature = "mutants")]
    pub fn of(mutant: Option<&str>) -> Result<Conduct, String> {
        let mutant = mutant.map(|name| Mutant::from_name(name).ok_or_else(|| format!("there is no mutant `{name}`")));
        Ok(Conduct { mutant: mutant.transpose()?, ..Conduct::default() })
    }

    /// The hardened protocol: this build has no mutants. The error says so.
    #[cfg(not(feature = "mutants"))]
    pub fn of(mutant: Option<&str>) -> Result<Conduct, String> {
        match mutant {
            None => Ok(Conduct::default()),
            Some(name) => Err(format!("this build has no mutant `{name}`: build with `--features mutants`")),
        }
    }
}
