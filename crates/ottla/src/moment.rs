//! Moments in time as people write and read them, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::duration::parse_duration;

const MS_PER_DAY: i64 = 86_400_000;

/// Now, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Reads a moment: milliseconds, `2026-01-31T12:00:00Z`, `2026-01-31`, or `-15m` before `now`.
pub fn parse_moment(text: &str, now: i64) -> Result<i64, String> {
    if let Some(ago) = text.strip_prefix('-') {
        let ago = i64::try_from(parse_duration(ago)?.as_millis()).unwrap_or(i64::MAX);
        return Ok(now.saturating_sub(ago));
    }
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(ms);
    }
    parse_date_time(text).ok_or_else(|| {
        format!("`{text}` is not a time; use 2026-01-31T12:00:00Z, -15m or milliseconds since 1970")
    })
}

/// Reads `YYYY-MM-DD[THH:mm[:ss[.sss]]][Z|±hh[:]mm]`; without an offset it is UTC.
pub fn parse_date_time(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let year: i64 = parts.next()?.parse().ok()?;
    let month: i64 = parts.next()?.parse().ok()?;
    let day: i64 = parts.next()?.parse().ok()?;
    let is_real = parts.next().is_none()
        && (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day);
    if !is_real {
        return None;
    }
    let (time, offset_minutes) = split_offset(time)?;
    let ms = if time.is_empty() { 0 } else { parse_time(time)? };
    let days = days_from_civil(year, month, day);
    Some(days * MS_PER_DAY + ms - offset_minutes * 60_000)
}

fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let digits: String = time[at + 1..].chars().filter(|c| *c != ':').collect();
    let number: i64 = digits.parse().ok()?;
    let minutes = match digits.len() {
        2 => number * 60,
        4 => number / 100 * 60 + number % 100,
        _ => return None,
    };
    Some((&time[..at], if time[at..].starts_with('-') { -minutes } else { minutes }))
}

fn parse_time(time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let is_real = parts.next().is_none()
        && (0..24).contains(&hours)
        && (0..60).contains(&minutes)
        && (0.0..60.0).contains(&seconds);
    is_real.then(|| hours * 3_600_000 + minutes * 60_000 + (seconds * 1000.0).round() as i64)
}

/// A moment as `2026-01-31T12:00:00.000Z`; nothing for the wire's "no timestamp".
pub fn format_moment(ms: i64) -> String {
    if ms < 0 {
        return "-".to_owned();
    }
    let (days, of_day) = (ms.div_euclid(MS_PER_DAY), ms.rem_euclid(MS_PER_DAY));
    let (year, month, day) = civil_from_days(days);
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (seconds, millis) = (of_day / 1000 % 60, of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_printed_alike() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_490_665_595, "2026-11-24T03:24:25.595Z"),
        ] {
            assert_eq!(format_moment(ms), text);
            assert_eq!(parse_date_time(text), Some(ms));
        }
    }

    #[test]
    fn offsets_short_forms_and_relative_times_are_read() {
        assert_eq!(parse_date_time("2020-01-01"), Some(1_577_836_800_000));
        assert_eq!(parse_date_time("2020-01-01T01:00+01:00"), Some(1_577_836_800_000));
        assert_eq!(parse_date_time("2020-01-01T00:00:00.000-0100"), Some(1_577_840_400_000));
        assert_eq!(parse_moment("-15m", 1_000_000), Ok(100_000));
        assert_eq!(parse_moment("77", 0), Ok(77));
        for text in ["", "yesterday", "2020-13-01", "2020-01-01T25:00", "-"] {
            assert!(parse_moment(text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn a_record_without_timestamp_shows_a_dash() {
        assert_eq!(format_moment(-1), "-");
    }
}
