//! Metrics: one table an export, one row a series.

use opentelemetry::KeyValue;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use super::facts::Facts;
use super::paint::{Paint, Style};
use super::text::{cut, plain, seconds, thousands, width};
use super::{ConsoleExporter, words};

impl PushMetricExporter for ConsoleExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let all: Vec<&Metric> = metrics.scope_metrics().flat_map(ScopeMetrics::metrics).collect();
        self.console.write(&render(self.console.paint(), &all));
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

const HEAD: [&str; 6] = ["count", "total", "mean", "p50", "p95", "max"];

/// One series: what it is of, and its figures in the order of [`HEAD`].
struct Row {
    what: String,
    figures: [String; 6],
}

fn render(paint: Paint, metrics: &[&Metric]) -> String {
    let tables: Vec<(&Metric, Vec<Row>)> =
        metrics.iter().map(|metric| (*metric, rows(metric))).filter(|(_, rows)| !rows.is_empty()).collect();
    if tables.is_empty() {
        return String::new();
    }
    let every = || tables.iter().flat_map(|(_, rows)| rows);
    // A column in which nothing stands has no width, and no head.
    let mut columns: [usize; 6] = std::array::from_fn(|at| {
        let figures = every().filter_map(|row| row.figures.get(at)).map(|figure| width(figure));
        let widest = figures.max().unwrap_or(0);
        if widest == 0 { 0 } else { widest.max(HEAD.get(at).map_or(0, |head| width(head))) }
    });
    let widest = every().map(|row| width(&row.what) + 2);
    let widest = widest.chain(tables.iter().map(|(metric, _)| width(&title(metric)))).max().unwrap_or(0);
    // A narrow terminal has room for fewer figures, and for shorter names in the end.
    let taken = |columns: &[usize; 6]| {
        columns.iter().filter(|column| **column > 0).map(|column| column + 2).sum::<usize>()
    };
    for given_up in [3, 4, 5, 2] {
        if taken(&columns) + widest + 2 > paint.columns
            && let Some(column) = columns.get_mut(given_up)
        {
            *column = 0;
        }
    }
    let first = widest.min(paint.columns.saturating_sub(taken(&columns) + 2).max(24));
    let mut out = String::new();
    for (at, (metric, rows)) in tables.iter().enumerate() {
        let head = if at == 0 { HEAD.map(str::to_owned) } else { Default::default() };
        let title = cut(&title(metric), first);
        out.push_str(&line(paint, (Style::Strong, &title), first + 2, &head, &columns, Style::Faint));
        for row in rows {
            let what = format!("  {}", cut(&row.what, first.saturating_sub(2)));
            out.push_str(&line(
                paint,
                (Style::Plain, &what),
                first + 2,
                &row.figures,
                &columns,
                Style::Plain,
            ));
        }
    }
    out
}

fn line(
    paint: Paint,
    (style, name): (Style, &str),
    first: usize,
    figures: &[String; 6],
    columns: &[usize; 6],
    figure_style: Style,
) -> String {
    let mut text = format!("  {}", paint.paint(style, name));
    let mut gap = (first - 2).saturating_sub(width(name));
    for (figure, column) in figures.iter().zip(columns).filter(|(_, column)| **column > 0) {
        gap += 2 + column.saturating_sub(width(figure));
        if !figure.is_empty() {
            text.push_str(&" ".repeat(std::mem::take(&mut gap)));
            text.push_str(&paint.paint(figure_style, figure));
        } else {
            gap += width(figure);
        }
    }
    text + "\n"
}

fn title(metric: &Metric) -> String {
    plain(metric.name())
}

/// In the order of their names: the SDK's own order changes from export to export.
fn rows(metric: &Metric) -> Vec<Row> {
    let mut rows = match metric.data() {
        AggregatedMetrics::F64(data) => rows_of(metric.unit(), data, |value| value),
        AggregatedMetrics::U64(data) => rows_of(metric.unit(), data, |value| value as f64),
        AggregatedMetrics::I64(data) => rows_of(metric.unit(), data, |value| value as f64),
    };
    rows.sort_by(|one, other| one.what.cmp(&other.what));
    rows
}

fn rows_of<T: Copy>(unit: &str, data: &MetricData<T>, real: impl Fn(T) -> f64) -> Vec<Row> {
    let show = |value: f64| figure(value, unit);
    let only = |attributes: Vec<&KeyValue>, value: T| Row {
        what: series(&attributes),
        figures: [
            String::new(),
            show(real(value)),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ],
    };
    match data {
        MetricData::Gauge(data) => {
            data.data_points().map(|point| only(point.attributes().collect(), point.value())).collect()
        }
        MetricData::Sum(data) => {
            data.data_points().map(|point| only(point.attributes().collect(), point.value())).collect()
        }
        MetricData::Histogram(data) => data
            .data_points()
            .map(|point| {
                let bounds: Vec<f64> = point.bounds().collect();
                let counts: Vec<u64> = point.bucket_counts().collect();
                let ends = (point.min().map(&real), point.max().map(&real));
                let at = |share| quantile(&bounds, &counts, ends, share).map(show).unwrap_or_default();
                let figures = figures(point.count(), real(point.sum()), show);
                summary(&point.attributes().collect::<Vec<_>>(), figures, at(0.5), at(0.95), ends.1.map(show))
            })
            .collect(),
        MetricData::ExponentialHistogram(data) => data
            .data_points()
            .map(|point| {
                let count = u64::try_from(point.count()).unwrap_or(u64::MAX);
                let figures = figures(count, real(point.sum()), show);
                let most = point.max().map(&real).map(show);
                summary(&point.attributes().collect::<Vec<_>>(), figures, String::new(), String::new(), most)
            })
            .collect(),
    }
}

fn figures(count: u64, sum: f64, show: impl Fn(f64) -> String) -> [String; 3] {
    let mean = if count > 0 { show(sum / count as f64) } else { String::new() };
    [thousands(count), show(sum), mean]
}

fn summary(
    attributes: &[&KeyValue],
    [count, total, mean]: [String; 3],
    half: String,
    most: String,
    max: Option<String>,
) -> Row {
    Row { what: series(attributes), figures: [count, total, mean, half, most, max.unwrap_or_default()] }
}

/// The value below which a share of the values lies, guessed inside its bucket.
fn quantile(bounds: &[f64], counts: &[u64], ends: (Option<f64>, Option<f64>), share: f64) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let wanted = share * total as f64;
    let mut below = 0.0;
    for (at, count) in counts.iter().enumerate() {
        let count = *count as f64;
        if count > 0.0 && below + count >= wanted {
            let floor = at.checked_sub(1).and_then(|at| bounds.get(at)).copied().or(ends.0).unwrap_or(0.0);
            let floor = ends.0.map_or(floor, |least| floor.max(least));
            let top = bounds.get(at).copied().or(ends.1).unwrap_or(floor);
            let top = ends.1.map_or(top, |most| top.min(most)).max(floor);
            return Some(floor + (top - floor) * ((wanted - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    ends.1
}

/// `1.24 s` for times, `1,234` for counts of things, `12.3 By` for what else there is.
fn figure(value: f64, unit: &str) -> String {
    match unit {
        "s" => seconds(value),
        "ms" => seconds(value / 1e3),
        _ => {
            let is_whole = value.fract().abs() < 1e-9 || value.abs() >= 1000.0;
            let number = if is_whole && value.abs() < 1e15 {
                let whole = thousands(value.abs().round() as u64);
                if value < 0.0 { format!("-{whole}") } else { whole }
            } else {
                format!("{value:.1}")
            };
            if unit.is_empty() || unit == "1" || unit.starts_with('{') {
                number
            } else {
                format!("{number} {}", plain(unit))
            }
        }
    }
}

/// `chat gpt-4o-mini openai input`: the words that say what it is, then what else there is as `key=value`.
fn series(attributes: &[&KeyValue]) -> String {
    const PLAIN: [&str; 11] = [
        words::MCP_METHOD,
        words::OPERATION,
        words::AGENT,
        words::WORKFLOW,
        words::TOOL,
        words::PROMPT,
        words::REQUEST_MODEL,
        words::SKILL,
        words::TOKEN_TYPE,
        words::TOKEN_MODALITY,
        words::ERROR_TYPE,
    ];
    const LEFT_OUT: [&str; 7] = [
        words::PROVIDER,
        words::SYSTEM,
        words::RESPONSE_MODEL,
        words::SERVER_ADDRESS,
        words::SERVER_PORT,
        words::LOONGSUITE_KIND,
        words::MCP_VERSION,
    ];
    let owned: Vec<KeyValue> = attributes.iter().map(|pair| (*pair).clone()).collect();
    let facts = Facts::of_span(&owned);
    // A modality that nobody told is no news.
    let is_news =
        |name: &&&str| **name != words::TOKEN_MODALITY || facts.text(name).as_deref() != Some("unknown");
    let mut said: Vec<String> = PLAIN.iter().filter(is_news).filter_map(|name| facts.text(name)).collect();
    let mut others: Vec<String> = owned
        .iter()
        .filter(|pair| !PLAIN.contains(&pair.key.as_str()) && !LEFT_OUT.contains(&pair.key.as_str()))
        .map(|pair| {
            let key = pair.key.as_str();
            if key == words::INFERRED {
                return "inferred".to_owned();
            }
            let short = key.strip_prefix("gen_ai.").unwrap_or(key);
            format!("{}={}", plain(short), plain(&pair.value.to_string()))
        })
        .collect();
    others.sort();
    said.append(&mut others);
    said.extend(facts.provider());
    if said.is_empty() { "(all)".to_owned() } else { said.join(" ") }
}
