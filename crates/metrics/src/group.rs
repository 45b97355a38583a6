use crate::exposition::Samples;

/// What a metric's numbers mean over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// As the text format spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// One name: what it is called, what it says, and by which labels it is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    /// One sentence in plain words; blanks around it do not count.
    pub help: &'static str,
    pub labels: &'static [&'static str],
}

impl Family {
    /// A number that is looked up whenever somebody asks.
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Family {
        Family { name, kind: Kind::Gauge, help, labels }
    }
}

/// A handle that counts, and can show what it has.
pub trait Metric: Send + Sync {
    const KIND: Kind;

    fn sample(&self, into: &mut Samples<'_>);
}

/// A struct of metrics that share their labels: see [`group!`](crate::group!).
pub trait Group: Send + Sync {
    const LABELS: &'static [&'static str];
    /// One a field, in order.
    const FAMILIES: &'static [Family];

    /// Shows the metric of `FAMILIES[index]`.
    fn sample(&self, index: usize, into: &mut Samples<'_>);
}

/// Declares a struct of metrics: fields, names and help in one place.
///
/// ```
/// use metrics::{Counter, Histogram};
///
/// metrics::group! {
///     /// What a door has seen.
///     pub struct DoorMetrics["door"] {
///         /// People who came in.
///         pub entered: Counter() = "house_entered_total",
///         /// How long each had to wait.
///         pub waited: Histogram(&metrics::SECONDS) = "house_waited_seconds",
///     }
/// }
///
/// let front = DoorMetrics::default();
/// front.entered.increment();
/// let mut page = metrics::Exposition::default();
/// page.group([(["front"], &front)]);
/// assert!(page.text().contains("house_entered_total{door=\"front\"} 1\n"));
/// ```
#[macro_export]
macro_rules! group {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident [$($label:literal),*] {
            $(
                $(#[doc = $help:literal])+
                pub $field:ident : $kind:ident ( $($argument:expr),* ) = $family:literal,
            )+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug)]
        $vis struct $name {
            $($(#[doc = $help])+ pub $field: $kind,)+
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($field: <$kind>::new($($argument),*),)+ }
            }
        }

        impl $crate::Group for $name {
            const LABELS: &'static [&'static str] = &[$($label),*];
            const FAMILIES: &'static [$crate::Family] = &[$(
                $crate::Family {
                    name: $family,
                    kind: <$kind as $crate::Metric>::KIND,
                    help: concat!($($help),+),
                    labels: Self::LABELS,
                }
            ),+];

            fn sample(&self, index: usize, into: &mut $crate::Samples<'_>) {
                let mut next = 0..;
                $(
                    if next.next() == Some(index) {
                        return $crate::Metric::sample(&self.$field, into);
                    }
                )+
            }
        }
    };
}
