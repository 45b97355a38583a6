//! The server's log, in the shape of Kafka's: `[2026-01-31 12:00:00,123] INFO text (logger)`.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use log::{LevelFilter, Log, Metadata, Record};

struct KafkaShaped;

static LOGGER: KafkaShaped = KafkaShaped;

/// Sends the log to stdout. Later calls do nothing.
pub fn init(level: LevelFilter) {
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(level);
    }
}

impl Log for KafkaShaped {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = format!(
            "[{}] {} {} ({})\n",
            timestamp(now.as_secs(), now.subsec_millis()),
            record.level(),
            record.args(),
            record.target()
        );
        // A closed stdout must not end the server.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }

    fn flush(&self) {
        let _ = std::io::stdout().lock().flush();
    }
}

/// UTC, as `2026-01-31 12:00:00,123`.
fn timestamp(seconds: u64, millis: u32) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{millis:03}")
}

/// The Gregorian date of a day since 1970-01-01. Source: Howard Hinnant, "chrono-compatible
/// low-level date algorithms"; eras of 400 years that start on 1 March.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_calendar_dates_in_utc() {
        assert_eq!(timestamp(0, 0), "1970-01-01 00:00:00,000");
        assert_eq!(timestamp(951_782_400, 7), "2000-02-29 00:00:00,007");
        assert_eq!(timestamp(1_798_761_599, 999), "2026-12-31 23:59:59,999");
    }
}
