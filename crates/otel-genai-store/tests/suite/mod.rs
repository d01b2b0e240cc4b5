//! What every store must do, whatever it keeps records in. `suite!(run: every)` makes a test of each case: how a case is run
//! is what the macro `run` of the store's own file says, which is given a topic and its cases.

pub(crate) mod changes;
pub(crate) mod content;
pub(crate) mod conversations;
pub(crate) mod dump;
pub(crate) mod exact;
pub(crate) mod keeping;
pub(crate) mod load;
pub(crate) mod logs;
pub(crate) mod metrics;
mod records;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod sums;
pub(crate) mod traces;

pub(crate) use records::*;

/// The cases by topic. A store that cannot do everything yet names its topics.
macro_rules! suite {
    ($run:ident: every) => {
        suite!($run: exact content traces conversations sessions sums logs changes load keeping dump metrics search);
    };
    ($run:ident: exact) => {
        $run!(exact: everything_comes_back_exactly facts_come_back wrong_clocks_are_kept);
    };
    ($run:ident: content) => {
        $run!(content: whatever_is_said_comes_back a_history_told_often_is_in_memory_once content_is_found_by_its_hash
            other_content_is_another_span);
    };
    ($run:ident: traces) => {
        $run!(traces: a_trace_in_one_line running_spans_give_way_to_their_end eight_spans_may_share_their_ids
            a_trace_goes_on_over_midnight a_trace_that_was_silent_for_days_is_one pages_hold_everything_once filters_narrow_the_list
            what_fits_is_listed_over_many_days);
    };
    ($run:ident: conversations) => {
        $run!(conversations: a_trace_is_named_by_what_was_asked);
    };
    ($run:ident: sessions) => {
        $run!(sessions: what_records_tell_of_a_session_counts what_a_record_tells_counts_when_it_began
            what_spans_tell_too_counts_once);
    };
    ($run:ident: sums) => {
        $run!(sums: sums_are_what_a_look_at_all_records_comes_to sums_are_right_in_another_order);
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
    ($run:ident: keeping) => {
        $run!(keeping: what_is_deleted_is_gone_and_may_come_again what_was_deleted_is_in_no_sum);
    };
    ($run:ident: dump) => {
        $run!(dump: a_dump_makes_the_same_store);
    };
    ($run:ident: metrics) => {
        $run!(metrics: differences_and_totals_tell_the_same what_there_is_of_metrics_is_listed
            single_measurements_lead_to_their_spans);
    };
    ($run:ident: search) => {
        $run!(search: each_phrase_is_found_where_it_was_said_and_nowhere_else
            log_records_are_found_and_listed_by_their_words traces_are_listed_by_what_was_said_in_them
            pages_range_and_service_bound_what_is_found a_trace_is_found_by_its_id_and_by_the_id_of_an_answer
            names_are_found_by_their_parts what_was_said_is_found_after_names
            each_message_of_a_log_record_is_looked_at very_long_texts_are_searched_at_their_beginning);
    };
    ($run:ident: $($topic:ident)+) => {
        $(suite!($run: $topic);)+
    };
}
pub(crate) use suite;
