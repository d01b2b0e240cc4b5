//! Which loads are run on what, in which order.

use std::time::Duration;

use crate::child::{Role, load};
use crate::load::{Kind, Plan};
use crate::report::{Figures, Report, median};

struct Effort {
    rounds: usize,
    time: Duration,
    starts: usize,
    /// Calls before memory is looked at.
    calls: usize,
}

/// What a load is run on.
struct Subject<'a> {
    name: &'static str,
    role: &'a mut Role,
    /// `None`: it records nothing anyway.
    unrecorded: Option<u64>,
}

impl<'a> Subject<'a> {
    fn new(name: &'static str, role: &'a mut Role) -> Self {
        Self { name, role, unrecorded: None }
    }

    fn recording(name: &'static str, role: &'a mut Role) -> Self {
        let unrecorded = Some(role.settle());
        Self { name, role, unrecorded }
    }

    /// Returns how many calls were not recorded since it was last asked.
    fn settle(&mut self) -> Option<u64> {
        let before = self.unrecorded?;
        let now = self.role.settle();
        self.unrecorded = Some(now);
        Some(now - before)
    }
}

pub(crate) fn compare(quick: bool) {
    let effort = if quick {
        Effort { rounds: 3, time: Duration::from_millis(800), starts: 5, calls: 20_000 }
    } else {
        Effort { rounds: 7, time: Duration::from_secs(3), starts: 21, calls: 100_000 }
    };
    let mut mock = Role::start("mock", None);
    let mut floor = Role::start("floor", Some(mock.address));
    let mut spans = Role::start("content on spans", Some(mock.address));
    let mut both = Role::start("content on spans and events", Some(mock.address));
    let mut report = Report::default();

    for (kind, connections) in [
        (Kind::Unary, 1),
        (Kind::Unary, 50),
        (Kind::Burst, 1),
        (Kind::Burst, 50),
        (Kind::Paced, 1),
        (Kind::Paced, 50),
    ] {
        let plan = Plan { kind, connections, time: effort.time, calls: 0 };
        let mut subjects = [
            Subject::new("direct", &mut mock),
            Subject::new("floor", &mut floor),
            Subject::recording("content on spans", &mut spans),
            Subject::recording("content on spans and events", &mut both),
        ];
        let names = subjects.each_ref().map(|subject| subject.name);
        let mut figures: [Vec<Figures>; 4] = Default::default();
        for subject in &mut subjects {
            load(subject.role.address, Plan { time: effort.time / 4, ..plan });
            subject.settle();
        }
        for round in 0..effort.rounds {
            for turn in 0..subjects.len() {
                let at = (round + turn) % subjects.len();
                let subject = &mut subjects[at];
                let before = subject.role.cpu();
                let outcome = load(subject.role.address, plan);
                // The work that the calls have left behind belongs to their price.
                let unrecorded = subject.settle();
                figures[at].push(Figures::new(&outcome, subject.role.cpu() - before, unrecorded));
            }
        }
        report.scenario(plan, names, &figures);
    }

    let plan = Plan { kind: Kind::Unary, connections: 50, time: Duration::ZERO, calls: effort.calls };
    for (name, role) in
        [("floor", &floor), ("content on spans", &spans), ("content on spans and events", &both)]
    {
        let fresh = Role::start(name, Some(mock.address));
        let at_start = fresh.resident().0;
        load(fresh.address, plan);
        let half = fresh.resident().0;
        load(fresh.address, plan);
        let (now, highest) = fresh.resident();
        let starts: Vec<f64> = (0..effort.starts)
            .map(|_| Role::start(name, Some(mock.address)).ready_after.as_secs_f64() * 1000.0)
            .collect();
        let after_all = role.resident().1;
        report.process(name, effort.calls, [at_start, half, now, highest, after_all], median(&starts));
    }
    report.print();
}
