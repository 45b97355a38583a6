//! One number of one round, with its name, its unit and the direction that is better.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    RecordsPerSecond,
    RequestsPerSecond,
    MegabytesPerSecond,
    CpuSecondsPerGb,
    CpuMicrosPerRequest,
    /// Thousands of records for each second of the broker's CPU time.
    ThousandRecordsPerCpuSecond,
    /// Of one core.
    CpuPercent,
    Microseconds,
    Milliseconds,
    Mebibytes,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    Less,
    More,
    /// It says something of the run, not of the broker.
    Neither,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    pub name: &'static str,
    pub unit: Unit,
    pub better: Better,
    pub value: f64,
}

impl Figure {
    pub fn less(name: &'static str, unit: Unit, value: f64) -> Figure {
        Figure { name, unit, better: Better::Less, value }
    }

    pub fn more(name: &'static str, unit: Unit, value: f64) -> Figure {
        Figure { name, unit, better: Better::More, value }
    }

    pub fn note(name: &'static str, unit: Unit, value: f64) -> Figure {
        Figure { name, unit, better: Better::Neither, value }
    }
}

impl Unit {
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::RecordsPerSecond => "records/s",
            Unit::RequestsPerSecond => "requests/s",
            Unit::MegabytesPerSecond => "MB/s",
            Unit::CpuSecondsPerGb => "CPU-s/GB",
            Unit::CpuMicrosPerRequest => "CPU-µs",
            Unit::ThousandRecordsPerCpuSecond => "k records/CPU-s",
            Unit::CpuPercent => "% of a core",
            Unit::Microseconds => "µs",
            Unit::Milliseconds => "ms",
            Unit::Mebibytes => "MiB",
            Unit::Count => "",
        }
    }

    /// A number as it is shown: as many digits as mean something.
    pub fn shown(self, value: f64) -> String {
        let decimals = match value.abs() {
            _ if self == Unit::Count => 0,
            large if large >= 100.0 => 0,
            middle if middle >= 10.0 => 1,
            small if small >= 1.0 => 2,
            _ => 3,
        };
        grouped(&format!("{value:.decimals$}"))
    }
}

/// Thousands apart, as in 12,345.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |dot| number.split_at(dot));
    let digits = whole.trim_start_matches('-');
    let mut text = whole[..whole.len() - digits.len()].to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        assert_eq!(Unit::RecordsPerSecond.shown(1_234_567.8), "1,234,568");
        assert_eq!(Unit::CpuSecondsPerGb.shown(0.3716), "0.372");
        assert_eq!(Unit::Milliseconds.shown(12.34), "12.3");
        assert_eq!(Unit::Mebibytes.shown(-1234.0), "-1,234");
        assert_eq!(Unit::Count.shown(7.0), "7");
    }
}
