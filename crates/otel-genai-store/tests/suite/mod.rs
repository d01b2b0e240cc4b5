//! What every store must do, whatever it keeps records in. `suite!(run: every)` makes a test of each case: how a case is run
//! is what the macro `run` of the store's own file says, which is given a topic and its cases.

pub(crate) mod changes;
pub(crate) mod dump;
pub(crate) mod exact;
pub(crate) mod load;
pub(crate) mod logs;
mod records;
pub(crate) mod traces;

pub(crate) use records::*;

/// The cases by topic. A store that cannot do everything yet names its topics.
macro_rules! suite {
    ($run:ident: every) => {
        suite!($run: exact traces logs changes load dump);
    };
    ($run:ident: exact) => {
        $run!(exact: everything_comes_back_exactly facts_come_back wrong_clocks_are_kept);
    };
    ($run:ident: traces) => {
        $run!(traces: a_trace_in_one_line running_spans_give_way_to_their_end eight_spans_may_share_their_ids
            a_trace_goes_on_over_midnight pages_hold_everything_once filters_narrow_the_list);
    };
    ($run:ident: logs) => {
        $run!(logs: log_records_are_listed);
    };
    ($run:ident: changes) => {
        $run!(changes: changes_are_told who_does_not_listen_is_told);
    };
    ($run:ident: load) => {
        $run!(load: many_send_at_a_time);
    };
    ($run:ident: dump) => {
        $run!(dump: a_dump_makes_the_same_store);
    };
    ($run:ident: $($topic:ident)+) => {
        $(suite!($run: $topic);)+
    };
}
pub(crate) use suite;
