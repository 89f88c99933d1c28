//! `Release`: a release of Apache ZooKeeper, as the set of [`Habit`]s in which it deviates from the hardened protocol.

use std::fmt;

use super::{Habit, Habits};

/// A release that peers can behave like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 3.8.0; the same protocol as up to 3.8.4, and as 3.9.0 and 3.9.1.
    Apache380,
    /// 3.9.3.
    Apache393,
    /// 3.9.4, and the master branch after it.
    Apache394,
}

/// What all of them have in common: open defects, and differences that are meant.
const COMMON: Habits = {
    use Habit::*;
    Habits::of(&[
        SyncInMemory,
        CutUnsynced,
        DirtyMemoryKept,
        SnapshotsSurviveACut,
        SnapshotOverwritten,
        CutKeepsTheNext,
        ObserverAcksEarly,
        BroadcastGapsOnlyWarn,
        CommitMismatchEndsTheProcess,
        RefusesToStart,
        ChatterRestartsTheWait,
        SettledVotesInterrupt,
        SilentUntilServing,
        StaleAcks,
        NewleaderUnordered,
        UncountedAck,
        NewleaderTrails,
        CommitsBeforeUptodate,
    ])
};

impl Release {
    /// From the oldest to the newest.
    pub const ALL: [Release; 3] = [Release::Apache380, Release::Apache393, Release::Apache394];

    /// Its name, such as `apache-3.9.4`.
    pub fn name(self) -> &'static str {
        match self {
            Release::Apache380 => "apache-3.8.0",
            Release::Apache393 => "apache-3.9.3",
            Release::Apache394 => "apache-3.9.4",
        }
    }

    /// The release of that name.
    pub fn from_name(name: &str) -> Option<Release> {
        Release::ALL.into_iter().find(|release| release.name() == name)
    }

    /// How it deviates.
    pub fn habits(self) -> Habits {
        use Habit::*;
        COMMON.with(match self {
            Release::Apache380 => Habits::of(&[
                SyncNotInWindow,
                GapsOnlyWarn,
                EpochBeforeHistory,
                AcksBeforeSync,
                CommitFindsNothing,
                MemoryLags,
            ]),
            Release::Apache393 => Habits::of(&[SettledNotInWindow, GapsOnlyWarn]),
            Release::Apache394 => Habits::of(&[GapsBetweenEpochs]),
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::Conduct;

    #[test]
    fn each_release_has_the_habits_that_were_open_in_it() {
        use Habit::*;
        let of = |habit| Release::ALL.map(|release| release.habits().has(habit));
        for habit in Habit::all() {
            let expected = match habit {
                EpochBeforeHistory | AcksBeforeSync | CommitFindsNothing | MemoryLags | SyncNotInWindow => {
                    [true, false, false]
                }
                GapsOnlyWarn => [true, true, false],
                SettledNotInWindow => [false, true, false],
                GapsBetweenEpochs => [false, false, true],
                _ => [true, true, true],
            };
            assert_eq!(of(habit), expected, "{habit}");
        }
    }

    #[test]
    fn names_lead_back_and_the_default_has_no_habit() {
        assert!(Release::ALL.iter().all(|&release| Release::from_name(release.name()) == Some(release)));
        assert_eq!(Conduct::default().habits, Habits::NONE);
    }
}
