//! What a quorum is: pure, small, and knowing nothing else.
//!
//! Members are numbered by their position in the [`Ensemble`](super::Ensemble); a [`MemberSet`] is a set of positions.
//! Sets may hold observers, as a buggy caller could: whether a member counts is the *caller's* decision, and a checker's.
//! (`QuorumVerifier`, `QuorumMaj`, `QuorumHierarchical`.)

/// A set of ensemble members, by position. At most 64 members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MemberSet(pub u64);

impl MemberSet {
    /// The set of nobody.
    pub const EMPTY: MemberSet = MemberSet(0);

    /// Adds a member.
    pub fn insert(&mut self, position: usize) {
        self.0 |= 1 << position;
    }

    /// Whether a member is in the set.
    pub fn contains(self, position: usize) -> bool {
        self.0 & (1 << position) != 0
    }

    /// How many members are in the set.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether nobody is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Members of both sets.
    pub fn intersection(self, other: MemberSet) -> MemberSet {
        MemberSet(self.0 & other.0)
    }

    /// The positions in the set, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let position = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            (position < 64).then_some(position)
        })
    }
}

impl FromIterator<usize> for MemberSet {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> MemberSet {
        let mut set = MemberSet::EMPTY;
        positions.into_iter().for_each(|position| set.insert(position));
        set
    }
}

/// What can still come of a vote when some said yes and some said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Those who said yes are a quorum.
    Won,
    /// Not even everybody else could make it a quorum.
    Lost,
    /// It depends on those who have not answered.
    Pending,
}

/// How members add up to a quorum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// More than half of the voting members (`QuorumMaj`).
    Majority {
        /// Who votes.
        voting: MemberSet,
    },
    /// More than half of the weight in more than half of the groups that have weight (`QuorumHierarchical`).
    Groups(Vec<Group>),
}

/// One group of a hierarchical quorum: positions and their weights. A plain weighted majority is one group of everyone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Position and weight of each member.
    pub members: Vec<(usize, u64)>,
}

impl Group {
    fn weight(&self) -> u64 {
        self.members.iter().map(|&(_, weight)| weight).sum()
    }

    fn weight_of(&self, set: MemberSet) -> u64 {
        self.members.iter().filter(|&&(position, _)| set.contains(position)).map(|&(_, weight)| weight).sum()
    }
}

impl Rule {
    /// Whether `set` is a quorum. Any two quorums of one rule share a member.
    pub fn has_quorum(&self, set: MemberSet) -> bool {
        match self {
            Rule::Majority { voting } => set.len() > voting.len() / 2,
            Rule::Groups(groups) => {
                let counted = groups.iter().filter(|group| group.weight() > 0).count();
                let won = groups.iter().filter(|group| group.weight_of(set) > group.weight() / 2).count();
                won > counted / 2
            }
        }
    }

    /// What can still come of it when `yes` agreed and `no` refused.
    pub fn outcome(&self, yes: MemberSet, no: MemberSet) -> Outcome {
        let everybody = match self {
            Rule::Majority { voting } => *voting,
            Rule::Groups(groups) => groups.iter().flat_map(|g| &g.members).map(|&(position, _)| position).collect(),
        };
        if self.has_quorum(yes) {
            Outcome::Won
        } else if self.has_quorum(MemberSet(everybody.0 & !no.0)) {
            Outcome::Pending
        } else {
            Outcome::Lost
        }
    }

    /// The weight of a member: 1 for all under a majority, 0 for one that a hierarchical rule does not list (which makes
    /// it ineligible as leader).
    pub fn weight(&self, position: usize) -> u64 {
        match self {
            Rule::Majority { .. } => 1,
            Rule::Groups(groups) => groups
                .iter()
                .flat_map(|group| &group.members)
                .find_map(|&(member, weight)| (member == position).then_some(weight))
                .unwrap_or(0),
        }
    }
}

impl Extend<usize> for MemberSet {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, positions: I) {
        positions.into_iter().for_each(|position| self.insert(position));
    }
}
