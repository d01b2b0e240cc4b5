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

pub(crate) fn compare(quick: bool) {
    let effort = if quick {
        Effort { rounds: 3, time: Duration::from_millis(800), starts: 5, calls: 20_000 }
    } else {
        Effort { rounds: 7, time: Duration::from_secs(3), starts: 21, calls: 100_000 }
    };
    let mock = Role::start("mock", None);
    let floor = Role::start("floor", Some(mock.address));
    let spans = Role::start("content on spans", Some(mock.address));
    let both = Role::start("content on spans and events", Some(mock.address));
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
        let subjects = [
            ("direct", &mock),
            ("floor", &floor),
            ("content on spans", &spans),
            ("content on spans and events", &both),
        ];
        let mut figures: [Vec<Figures>; 4] = Default::default();
        for (_, role) in subjects {
            load(role.address, Plan { time: effort.time / 4, ..plan });
        }
        for round in 0..effort.rounds {
            for turn in 0..subjects.len() {
                let subject = (round + turn) % subjects.len();
                let role = subjects[subject].1;
                let before = role.cpu();
                let outcome = load(role.address, plan);
                figures[subject].push(Figures::new(&outcome, role.cpu() - before));
            }
        }
        report.scenario(plan, subjects.map(|(name, _)| name), &figures);
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
