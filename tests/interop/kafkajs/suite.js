// kafkajs: the client of Node.js programs. Result lines as in tests/interop/python/check.py.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { EventEmitter, once } = require('node:events');
const kafkajs = require('kafkajs');
const lz4 = require('lz4-napi');
const snappy = require('kafkajs-snappy');
const zstd = require('@mongodb-js/zstd');

const { CompressionTypes, CompressionCodecs, ConfigResourceTypes, Kafka, logLevel } = kafkajs;
CompressionCodecs[CompressionTypes.Snappy] = snappy;
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(Buffer.from(encoder.buffer)),
  decompress: (buffer) => lz4.decompressFrame(buffer),
});
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) => zstd.compress(Buffer.from(encoder.buffer)),
  decompress: (buffer) => zstd.decompress(buffer),
});

const CHECK_MS = 60_000;
const run = crypto.randomBytes(4).toString('hex');
const kafka = new Kafka({
  clientId: 'interop',
  brokers: [process.env.INTEROP_BOOTSTRAP || '127.0.0.1:9092'],
  logLevel: logLevel.NOTHING,
  retry: { retries: 8, initialRetryTime: 100 },
});
const admin = kafka.admin();

const checks = [];
const check = (name, body) => checks.push([name, body]);
const name = (what) => `${what}-${run}-${crypto.randomBytes(3).toString('hex')}`;
const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i));

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const RECORDS = [
  { key: 'key', value: 'value', headers: {} },
  { key: null, value: 'no key', headers: {} },
  { key: '', value: 'an empty key is a key', headers: {} },
  { key: 'tombstone', value: null, headers: {} },
  { key: 'empty', value: '', headers: {} },
  { key: ALL_BYTES, value: ALL_BYTES, headers: { bytes: ALL_BYTES } },
  { key: 'ключ', value: 'значение', headers: { имя: 'заголовок' } },
  { key: 'headers', value: 'two', headers: { a: '1', b: '' } },
  { key: 'repetitive', value: 'kafka '.repeat(20_000), headers: {} },
];

async function topic(numPartitions = 1, configs = {}) {
  const made = name('kafkajs');
  const configEntries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  await admin.createTopics({
    topics: [{ topic: made, numPartitions, replicationFactor: 1, configEntries }],
  });
  return made;
}

async function produce(to, messages, { acks = -1, compression, ...config } = {}) {
  const producer = kafka.producer(config);
  await producer.connect();
  try {
    return await producer.send({ topic: to, messages, acks, compression });
  } finally {
    await producer.disconnect();
  }
}

// A group member; `heard` tells of every record and every assignment.
class Member {
  constructor(group, heard = new EventEmitter()) {
    this.consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: 10_000,
      heartbeatInterval: 500,
      rebalanceTimeout: 10_000,
    });
    this.seen = [];
    this.assignment = [];
    this.heard = heard;
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.assignment = Object.values(payload.memberAssignment).flat();
      heard.emit('news');
    });
    this.consumer.on(this.consumer.events.REBALANCING, () => {
      this.assignment = [];
    });
  }

  async start(from, options = {}) {
    await this.consumer.connect();
    await this.consumer.subscribe({ topic: from, fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      ...options,
      eachMessage: async ({ partition, message }) => {
        this.seen.push({ ...message, partition });
        this.heard.emit('news');
      },
    });
    return this;
  }

  leave() {
    return this.consumer.disconnect();
  }
}

async function until(heard, what, condition) {
  const signal = AbortSignal.timeout(40_000);
  try {
    while (!condition()) await once(heard, 'news', { signal });
  } catch (error) {
    throw error.name === 'AbortError' ? new Error(`${what} did not happen within 40 s`) : error;
  }
}

async function read(from, count) {
  const member = await new Member(name('reader')).start(from);
  await until(member.heard, `reading ${count} records`, () => member.seen.length >= count);
  await member.leave();
  return member.seen;
}

function shared(heard, members, partitions) {
  const even = () => {
    const parts = members.map((member) => member.assignment);
    const sizes = parts.map((part) => part.length);
    const all = parts.flat().sort((a, b) => a - b);
    const whole = all.length === partitions && all.every((partition, i) => partition === i);
    return whole && Math.max(...sizes) - Math.min(...sizes) <= 1;
  };
  return until(heard, `${members.length} members sharing ${partitions} partitions`, even);
}

check('creates_and_describes_a_topic', async () => {
  const made = await topic(3, { 'retention.ms': '123456789' });
  const { topics } = await admin.fetchTopicMetadata({ topics: [made] });
  assert.deepEqual(topics[0].partitions.map((p) => p.partitionId).sort(), [0, 1, 2]);
  assert.equal(await admin.createTopics({ topics: [{ topic: made }] }), false, 'made it again');
  assert.ok((await admin.listTopics()).includes(made));
});

check('reads_and_alters_configs', async () => {
  const made = await topic(1, { 'retention.ms': '123456789' });
  const resource = { type: ConfigResourceTypes.TOPIC, name: made };
  const value = async (key) => {
    const { resources } = await admin.describeConfigs({ resources: [resource] });
    return resources[0].configEntries.find((entry) => entry.configName === key).configValue;
  };
  assert.equal(await value('retention.ms'), '123456789');
  const configEntries = [{ name: 'max.message.bytes', value: '5000' }];
  await admin.alterConfigs({ resources: [{ ...resource, configEntries }] });
  // The old AlterConfigs replaces the whole set.
  assert.equal(await value('max.message.bytes'), '5000');
  assert.equal(await value('retention.ms'), '604800000');
});

const CODECS = ['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD'];
for (const codec of CODECS) {
  check(`every_byte_comes_back_${codec.toLowerCase()}`, async () => {
    const made = await topic();
    await produce(made, RECORDS, { compression: CompressionTypes[codec] });
    const found = await read(made, RECORDS.length);
    const bytes = (value) => (value === null ? null : Buffer.from(value));
    const headers = (of) => Object.entries(of).map(([key, value]) => [key, bytes(value)]);
    const flat = (m) => [bytes(m.key), bytes(m.value), headers(m.headers)];
    assert.deepEqual(found.map(flat), RECORDS.map(flat));
  });
}

for (const acks of [0, 1, -1]) {
  check(`produces_with_acks_${acks === -1 ? 'all' : acks}`, async () => {
    const made = await topic();
    await produce(made, numbers(0, 50).map((value) => ({ value })), { acks });
    assert.deepEqual((await read(made, 50)).map((m) => m.value.toString()), numbers(0, 50));
  });
}

check('an_idempotent_producer_writes_each_record_once_and_in_order', async () => {
  const made = await topic();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let i = 0; i < 20; i++) {
    const messages = numbers(i * 50, i * 50 + 50).map((value) => ({ value }));
    await producer.send({ topic: made, messages });
  }
  await producer.disconnect();
  assert.deepEqual((await read(made, 1000)).map((m) => m.value.toString()), numbers(0, 1000));
});

check('one_key_goes_to_one_partition', async () => {
  const made = await topic(4);
  const messages = numbers(0, 400).map((i) => ({ key: `key-${i % 40}`, value: i }));
  await produce(made, messages);
  const places = new Map();
  for (const { key, partition } of await read(made, 400)) {
    places.set(key.toString(), (places.get(key.toString()) || new Set()).add(partition));
  }
  assert.equal(places.size, 40);
  assert.ok([...places.values()].every((place) => place.size === 1));
});

check('seeks_by_time', async () => {
  const made = await topic();
  const now = Date.now();
  const stamps = numbers(0, 20).map((i) => String(now - (20 - i) * 600_000));
  await produce(made, stamps.map((timestamp, i) => ({ value: String(i), timestamp })));
  const [found] = await admin.fetchTopicOffsetsByTimestamp(made, Number(stamps[13]));
  assert.equal(found.offset, '13');
  const member = new Member(name('seeker'));
  await member.start(made);
  member.consumer.seek({ topic: made, partition: 0, offset: found.offset });
  await until(member.heard, 'the last record', () => member.seen.at(-1)?.value.toString() === '19');
  const last = member.seen.slice(-7).map((m) => m.value.toString());
  assert.deepEqual(last, numbers(13, 20));
  await member.leave();
  const [ends] = await admin.fetchTopicOffsets(made);
  assert.deepEqual([ends.low, ends.high], ['0', '20']);
});

check('three_members_join_and_leave', async () => {
  const [made, group, heard] = [await topic(6), name('group'), new EventEmitter()];
  const join = () => new Member(group, heard).start(made);
  const members = await Promise.all([join(), join(), join()]);
  await shared(heard, members, 6);
  await produce(made, numbers(0, 300).map((value) => ({ key: value, value })));
  const seen = () => members.flatMap((member) => member.seen);
  await until(heard, 'all records', () => seen().length >= 300);
  const values = seen().map((m) => Number(m.value)).sort((a, b) => a - b);
  assert.deepEqual(values.map(String), numbers(0, 300));
  await members.pop().leave();
  await shared(heard, members, 6);
  members.push(await join());
  await shared(heard, members, 6);
  await Promise.all(members.map((member) => member.leave()));
});

check('a_group_resumes_where_it_committed', async () => {
  const [made, group] = [await topic(), name('group')];
  await produce(made, numbers(0, 10).map((value) => ({ value })));
  const first = await new Member(group).start(made);
  await until(first.heard, 'four records', () => first.seen.length >= 4);
  await first.consumer.commitOffsets([{ topic: made, partition: 0, offset: '4' }]);
  await first.leave();
  const second = await new Member(group).start(made);
  await until(second.heard, 'the rest', () => second.seen.length >= 6);
  assert.deepEqual(second.seen.map((m) => m.value.toString()), numbers(4, 10));
  await second.leave();
  const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [made] });
  assert.equal(offsets.partitions[0].offset, '4');
});

check('resets_offsets_of_an_empty_group', async () => {
  const [made, groupId] = [await topic(), name('group')];
  await produce(made, numbers(0, 5).map((value) => ({ value })));
  await admin.setOffsets({ groupId, topic: made, partitions: [{ partition: 0, offset: '3' }] });
  const [offsets] = await admin.fetchOffsets({ groupId, topics: [made] });
  assert.equal(offsets.partitions[0].offset, '3');
  await admin.resetOffsets({ groupId, topic: made, earliest: true });
  const member = await new Member(groupId).start(made);
  await until(member.heard, 'all records', () => member.seen.length >= 5);
  await member.leave();
});

check('lists_describes_and_deletes_groups', async () => {
  const [made, group] = [await topic(), name('group')];
  const member = await new Member(group).start(made);
  await shared(member.heard, [member], 1);
  const { groups } = await admin.listGroups();
  assert.equal(groups.find((found) => found.groupId === group)?.protocolType, 'consumer');
  const described = await admin.describeGroups([group]);
  assert.equal(described.groups[0].state, 'Stable');
  assert.equal(described.groups[0].members.length, 1);
  await assert.rejects(admin.deleteGroups([group]), (error) => error.groups[0].errorCode === 68);
  await member.leave();
  const [deleted] = await admin.deleteGroups([group]);
  assert.equal(deleted.errorCode, 0);
});

check('creates_partitions_deletes_records_and_topics', async () => {
  const made = await topic();
  await produce(made, numbers(0, 10).map((value) => ({ value })));
  // It looks for the leader only in what it has cached, so it must have asked something of the topic.
  await admin.fetchTopicOffsets(made);
  await admin.deleteTopicRecords({ topic: made, partitions: [{ partition: 0, offset: '6' }] });
  const [offsets] = await admin.fetchTopicOffsets(made);
  assert.equal(offsets.low, '6');
  await admin.createPartitions({ topicPartitions: [{ topic: made, count: 3 }] });
  await produce(made, [{ value: 'x', partition: 2 }]);
  await admin.deleteTopics({ topics: [made] });
  assert.ok(!(await admin.listTopics()).includes(made));
});

check('describes_the_cluster', async () => {
  const cluster = await admin.describeCluster();
  assert.equal(cluster.brokers.length, 1);
  assert.equal(cluster.controller, cluster.brokers[0].nodeId);
  assert.ok(cluster.clusterId);
});

async function main() {
  const only = process.argv.slice(2);
  let failed = 0;
  await admin.connect();
  for (const [title, body] of checks) {
    if (only.length && !only.some((part) => title.includes(part))) continue;
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took more than ${CHECK_MS} ms`)), CHECK_MS);
    });
    try {
      await Promise.race([body(), late]);
      console.log(`ok kafkajs ${title}`);
    } catch (error) {
      failed += 1;
      console.error(error);
      console.log(`FAIL kafkajs ${title}: ${String(error.message).replace(/\s+/g, ' ').slice(0, 600)}`);
    }
    clearTimeout(timer);
  }
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.log(`FAIL kafkajs suite: ${String(error.message).replace(/\s+/g, ' ')}`);
  process.exit(1);
});
