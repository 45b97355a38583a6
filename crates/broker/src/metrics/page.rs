use std::sync::Arc;

use env::{Clock, Env};
use metrics::Exposition;

use super::scraped::*;
use super::topics::{NamedTopic, TopicMetrics};
use crate::limits::{METRIC_PARTITIONS_MAX, METRIC_TOPICS_MAX};
use crate::log_store::DirFacts;
use crate::node::Node;
use crate::partitions::Partition;

/// Everything this node knows in numbers.
pub fn render<E: Env>(node: &Node<E>) -> String {
    let partitions = node.partitions.all();
    let dirs = node.log_store.describe();
    let (sum, topics) = node.metrics.topics.all();
    let mut page = Exposition::default();
    page.family(&BUILD, [([env!("CARGO_PKG_VERSION")], 1)]);
    page.group([([""; 0], &node.metrics.broker)]);
    page.group(node.metrics.requests.all().map(|(request, counts)| ([request], counts)));
    topics_page(&mut page, &sum, &topics);
    page.group(dirs.iter().map(|dir| ([&*dir.path], &*dir.metrics)));
    dirs_page(&mut page, &dirs);
    replicas_page(&mut page, node, &partitions, &dirs);
    cluster_page(&mut page, node);
    partitions_page(&mut page, &partitions);
    let left_out = |kind, all: usize, max: usize| ([kind], if all > max { all } else { 0 });
    page.family(
        &SERIES_LEFT_OUT,
        [
            left_out("topics", topics.len(), METRIC_TOPICS_MAX),
            left_out("partitions", partitions.len(), METRIC_PARTITIONS_MAX),
        ],
    );
    page.into_text()
}

/// All topics together under no topic, as Kafka does it: an empty label is none.
fn topics_page(page: &mut Exposition, sum: &TopicMetrics, topics: &[NamedTopic]) {
    let shown = if topics.len() > METRIC_TOPICS_MAX { &[] } else { topics };
    let each = shown.iter().map(|(name, counts)| ([&**name], &**counts));
    page.group([([""], sum)].into_iter().chain(each));
}

fn dirs_page(page: &mut Exposition, dirs: &[DirFacts]) {
    let paths = || dirs.iter().map(|dir| ([&*dir.path], dir));
    page.family(&DIR_OFFLINE, paths().map(|(path, dir)| (path, u8::from(dir.is_offline))));
    page.family(&DIRS_OFFLINE, [([""; 0], dirs.iter().filter(|dir| dir.is_offline).count())]);
    let spaces = || paths().filter_map(|(path, dir)| Some((path, dir.space?)));
    page.family(&DIR_BYTES, spaces().map(|(path, (total, _))| (path, total)));
    page.family(&DIR_FREE, spaces().map(|(path, (_, free))| (path, free)));
}

fn replicas_page<E: Env>(
    page: &mut Exposition,
    node: &Node<E>,
    partitions: &[Arc<Partition<E::Disk>>],
    dirs: &[DirFacts],
) {
    let (image, now) = (node.metadata.image(), node.env().clock().mono());
    let (mut under_replicated, mut under_min, mut offline) = (0, 0, 0);
    for partition in partitions {
        let is_offline = dirs.iter().any(|dir| dir.index == partition.dir() && dir.is_offline);
        offline += u64::from(is_offline);
        let topic = image.topics.by_id(partition.topic_id);
        let known = topic.and_then(|topic| topic.partition(partition.id.partition));
        let Some(known) = known.filter(|known| known.leader == Some(node.broker_id())) else {
            continue;
        };
        under_replicated += u64::from(known.isr.len() < known.replicas.len());
        let least = partition.settings().min_insync_replicas.max(0) as usize;
        under_min += u64::from(known.isr.len() < least.min(known.replicas.len()));
    }
    let numbers = [
        (&PARTITIONS, partitions.len() as u64),
        (&LEADERS, partitions.iter().filter(|partition| partition.leads()).count() as u64),
        (&UNDER_REPLICATED, under_replicated),
        (&UNDER_MIN_ISR, under_min),
        (&OFFLINE_REPLICAS, offline),
        (&LEADER_RATE, node.throttles.leader.rate(now)),
        (&FOLLOWER_RATE, node.throttles.follower.rate(now)),
        (&DIRS_RATE, node.throttles.dirs.rate(now)),
    ];
    for (family, number) in numbers {
        page.family(family, [([""; 0], number)]);
    }
}

fn cluster_page<E: Env>(page: &mut Exposition, node: &Node<E>) {
    let image = node.metadata.image();
    let (mut topics, mut all, mut offline) = (0, 0, 0);
    for topic in image.topics.iter() {
        topics += 1;
        for (_, partition) in topic.partitions() {
            all += 1;
            offline += u64::from(partition.leader.is_none());
        }
    }
    let numbers = [
        (&ACTIVE_CONTROLLERS, 1),
        (&TOPICS, topics),
        (&ALL_PARTITIONS, all),
        (&OFFLINE_PARTITIONS, offline),
    ];
    for (family, number) in numbers {
        page.family(family, [([""; 0], number)]);
    }
}

fn partitions_page<D: env::Disk>(page: &mut Exposition, partitions: &[Arc<Partition<D>>]) {
    let shown = if partitions.len() > METRIC_PARTITIONS_MAX { &[] } else { partitions };
    let ids: Vec<[String; 2]> =
        shown.iter().map(|p| [p.id.topic.to_string(), p.id.partition.to_string()]).collect();
    let mut show = |family, number: fn(&Partition<D>) -> Option<i64>| {
        let all = ids.iter().zip(shown);
        page.family(family, all.filter_map(|(id, p)| Some((id.each_ref(), number(p)?))));
    };
    show(&LOG_SIZE, |p| p.reader().size_bytes().ok().map(|bytes| bytes as i64));
    show(&LOG_START, |p| Some(p.reader().log_start().0));
    show(&LOG_END, |p| Some(p.reader().log_end().0));
    show(&LOG_SEGMENTS, |p| Some(p.reader().segment_count() as i64));
}
