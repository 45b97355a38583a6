/// The partition of a coordinator's topic that `id` belongs to: `abs(String.hashCode) % count`.
///
/// The hash is Java's over UTF-16 code units, and `abs(i32::MIN)` is 0, so that clients, tools and
/// old data agree with us on where a group lives.
///
/// Source: Kafka `GroupCoordinatorService.partitionFor`, `Utils.abs`.
///
/// # Panics
/// If `partitions` is not positive: a topic has at least one partition.
pub fn partition_for(id: &str, partitions: i32) -> i32 {
    assert!(partitions > 0, "a coordinator topic of {partitions} partitions");
    let hash = java_string_hash(id);
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive % partitions
}

fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Id, Java's `hashCode`, partition of 50, partition of 3: printed by a JVM.
    const GOLDEN: &[(&str, i32, i32, i32)] = &[
        ("", 0, 0, 0),
        ("g", 103, 3, 1),
        ("my-group", -1906497762, 12, 0),
        ("console-consumer-12345", 158455506, 6, 0),
        ("connect-cluster", 1440343063, 13, 1),
        ("grüppe-ä", 243490987, 37, 1),
        ("группа", 1749938458, 8, 1),
        ("消費者グループ", 1778507784, 34, 0),
        ("😀-emoji-𝄞", 1994054523, 23, 0),
        ("a/b c:d", 1625636641, 41, 1),
        ("polygenelubricants", i32::MIN, 0, 0),
        ("DESIGNING WORKHOUSES", i32::MIN, 0, 0),
    ];

    #[test]
    fn ids_live_where_a_jvm_says() {
        for &(id, hash, of_50, of_3) in GOLDEN {
            assert_eq!(java_string_hash(id), hash, "{id}");
            assert_eq!(partition_for(id, 50), of_50, "{id}");
            assert_eq!(partition_for(id, 3), of_3, "{id}");
        }
    }
}
