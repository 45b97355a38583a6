import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;

/** Kafka's own Java client. Result lines as in tests/interop/python/check.py. */
public final class JavaClientSuite {
    private static final String BOOTSTRAP = System.getenv("INTEROP_BOOTSTRAP");
    private static final String RUN = UUID.randomUUID().toString().substring(0, 8);
    private static final AtomicInteger COUNTER = new AtomicInteger();
    private static final byte[] ALL_BYTES = new byte[256];
    private static final long CHECK_SECONDS = 60;

    private static Admin admin;
    private static int failed;
    private static String[] only;

    interface Body {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        only = args;
        for (int i = 0; i < 256; i++) {
            ALL_BYTES[i] = (byte) i;
        }
        admin = Admin.create(Map.of("bootstrap.servers", BOOTSTRAP, "request.timeout.ms", "15000",
            "default.api.timeout.ms", "20000"));
        topics();
        producing();
        consuming();
        groups();
        administering();
        System.out.flush();
        Runtime.getRuntime().halt(failed == 0 ? 0 : 1);
    }

    // ------------------------------------------------------------------------------------------ harness

    private static void check(String name, Body body) {
        if (only.length > 0 && Arrays.stream(only).noneMatch(name::contains)) {
            return;
        }
        FutureTask<Void> task = new FutureTask<>(() -> {
            body.run();
            return null;
        });
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(CHECK_SECONDS, TimeUnit.SECONDS);
            System.out.println("ok java " + name);
        } catch (TimeoutException late) {
            failed++;
            System.out.println("FAIL java " + name + ": took more than " + CHECK_SECONDS + " s");
            for (StackTraceElement frame : thread.getStackTrace()) {
                System.err.println("  " + frame);
            }
        } catch (Exception error) {
            failed++;
            error.printStackTrace();
            Throwable cause = error.getCause() == null ? error : error.getCause();
            System.out.println("FAIL java " + name + ": " + cause.toString().replaceAll("\\s+", " "));
        }
    }

    private static void equal(Object found, Object wanted, String what) {
        if (!Objects.deepEquals(found, wanted)) {
            throw new AssertionError(what + ": wanted " + wanted + ", found " + found);
        }
    }

    private static void isTrue(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    private static <T extends Throwable> T fails(Class<T> kind, Body body) {
        try {
            body.run();
        } catch (Throwable error) {
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                if (kind.isInstance(cause)) {
                    return kind.cast(cause);
                }
            }
            throw new AssertionError("wanted " + kind.getSimpleName() + ", found " + error);
        }
        throw new AssertionError(kind.getSimpleName() + " was not thrown");
    }

    private static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, condition, () -> "");
    }

    /** `found` says what there was instead. */
    private static void until(String what, Callable<Boolean> condition, Callable<String> found) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
        while (!condition.call()) {
            if (System.nanoTime() >= deadline) {
                throw new AssertionError(what + " did not happen within 40 s " + found.call());
            }
            Thread.sleep(20);
        }
    }

    private static String name(String what) {
        return what + "-" + RUN + "-" + COUNTER.incrementAndGet();
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    private static String topic(int partitions, String... configs) throws Exception {
        String made = name("java");
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < configs.length; i += 2) {
            map.put(configs[i], configs[i + 1]);
        }
        get(admin.createTopics(List.of(new NewTopic(made, partitions, (short) 1).configs(map))).all());
        return made;
    }

    private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> extra) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", BOOTSTRAP, "linger.ms", "20"));
        config.putAll(extra);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static List<RecordMetadata> produce(
            Map<String, Object> config, List<ProducerRecord<byte[], byte[]>> records) throws Exception {
        try (var producer = producer(config)) {
            List<Future<RecordMetadata>> sent = records.stream().map(producer::send).toList();
            producer.flush();
            List<RecordMetadata> delivered = new ArrayList<>();
            for (Future<RecordMetadata> one : sent) {
                delivered.add(one.get(20, TimeUnit.SECONDS));
            }
            return delivered;
        }
    }

    private static List<ProducerRecord<byte[], byte[]>> numbered(String topic, int from, int to) {
        return IntStream.range(from, to)
            .mapToObj(i -> new ProducerRecord<byte[], byte[]>(topic, 0, null, ("" + i).getBytes(UTF_8))).toList();
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String group, Map<String, Object> extra) {
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", BOOTSTRAP, "auto.offset.reset", "earliest", "enable.auto.commit", "false",
            "heartbeat.interval.ms", "500", "session.timeout.ms", "10000"));
        if (group != null) {
            config.put("group.id", group);
        }
        config.putAll(extra);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static List<ConsumerRecord<byte[], byte[]>> take(Consumer<byte[], byte[]> consumer, int count) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (found.size() < count) {
            isTrue(System.nanoTime() < deadline, "only " + found.size() + " of " + count + " records came");
            consumer.poll(Duration.ofMillis(500)).forEach(found::add);
        }
        return found;
    }

    private static List<ConsumerRecord<byte[], byte[]>> read(
            String topic, int count, Map<String, Object> config) {
        try (var consumer = consumer(null, config)) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            return take(consumer, count);
        }
    }

    private static List<String> values(List<ConsumerRecord<byte[], byte[]>> records) {
        return records.stream().map(record -> new String(record.value(), UTF_8)).toList();
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "" + i).toList();
    }

    /** A comparable picture of a record, nulls and bytes and all. */
    private static String picture(byte[] key, byte[] value, Iterable<Header> headers) {
        StringBuilder text = new StringBuilder(hex(key) + " " + hex(value));
        headers.forEach(header -> text.append(" ").append(header.key()).append("=").append(hex(header.value())));
        return text.toString();
    }

    private static String hex(byte[] bytes) {
        return bytes == null ? "null" : "'" + HexFormat.of().formatHex(bytes) + "'";
    }

    // ------------------------------------------------------------------------------------------- checks

    private static void topics() {
        check("creates_and_describes_a_topic", () -> {
            String made = topic(3, "retention.ms", "123456789");
            TopicDescription found = get(admin.describeTopics(List.of(made)).allTopicNames()).get(made);
            equal(found.partitions().size(), 3, "partitions");
            isTrue(!found.topicId().equals(Uuid.ZERO_UUID), "there is a topic id");
            equal(found.partitions().get(0).replicas().size(), 1, "replicas");
            equal(get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(found.topicId())))
                .allTopicIds()).get(found.topicId()).name(), made, "name by id");
            isTrue(get(admin.listTopics().names()).contains(made), "the topic is listed");
        });
        check("creating_answers_with_id_and_configs", () -> {
            String made = name("java");
            CreateTopicsResult result =
                admin.createTopics(List.of(new NewTopic(made, Optional.empty(), Optional.empty())));
            isTrue(get(result.numPartitions(made)) >= 1, "partition count");
            equal(get(result.replicationFactor(made)), 1, "replication factor");
            isTrue(!get(result.topicId(made)).equals(Uuid.ZERO_UUID), "there is a topic id");
            equal(get(result.config(made)).get("cleanup.policy").value(), "delete", "cleanup.policy");
        });
        check("refusals_carry_kafkas_errors", () -> {
            String made = topic(1);
            fails(TopicExistsException.class, () ->
                get(admin.createTopics(List.of(new NewTopic(made, 1, (short) 1))).all()));
            fails(InvalidTopicException.class, () ->
                get(admin.createTopics(List.of(new NewTopic("bad name", 1, (short) 1))).all()));
            fails(InvalidReplicationFactorException.class, () ->
                get(admin.createTopics(List.of(new NewTopic(name("java"), 1, (short) 3))).all()));
            fails(InvalidPartitionsException.class, () ->
                get(admin.createTopics(List.of(new NewTopic(name("java"), 0, (short) 1))).all()));
            fails(InvalidConfigurationException.class, () -> get(admin.createTopics(List.of(
                new NewTopic(name("java"), 1, (short) 1).configs(Map.of("no.such", "1")))).all()));
            fails(UnknownTopicOrPartitionException.class, () ->
                get(admin.describeTopics(List.of(name("missing"))).allTopicNames()));
            fails(UnknownTopicIdException.class, () -> get(admin.describeTopics(
                TopicCollection.ofTopicIds(List.of(Uuid.randomUuid()))).allTopicIds()));
        });
        check("names_that_differ_in_dot_and_underscore_collide", () -> {
            String base = name("java");
            get(admin.createTopics(List.of(new NewTopic(base + ".x", 1, (short) 1))).all());
            fails(InvalidTopicException.class, () ->
                get(admin.createTopics(List.of(new NewTopic(base + "_x", 1, (short) 1))).all()));
        });
        check("replicas_can_be_placed_by_hand", () -> {
            int node = get(admin.describeCluster().nodes()).iterator().next().id();
            String made = name("java");
            NewTopic placed = new NewTopic(made, Map.of(0, List.of(node), 1, List.of(node)));
            get(admin.createTopics(List.of(placed)).all());
            equal(get(admin.describeTopics(List.of(made)).allTopicNames()).get(made).partitions().size(), 2,
                "partitions");
        });
    }

    private static void producing() {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            check("every_byte_comes_back_" + codec, () -> everyByteComesBack(codec));
        }
        for (String acks : List.of("0", "1", "all")) {
            check("produces_with_acks_" + acks, () -> {
                String made = topic(1);
                produce(Map.of("acks", acks, "enable.idempotence", "false"), numbered(made, 0, 50));
                equal(values(read(made, 50, Map.of())), numbers(0, 50), "values");
            });
        }
        check("an_idempotent_producer_writes_each_record_once_and_in_order", () -> {
            String made = topic(1);
            Map<String, Object> config = Map.of("enable.idempotence", "true", "linger.ms", "0");
            List<RecordMetadata> delivered = produce(config, numbered(made, 0, 3_000));
            for (int i = 0; i < 3_000; i++) {
                equal(delivered.get(i).offset(), (long) i, "offset");
            }
            equal(values(read(made, 3_000, Map.of())), numbers(0, 3_000), "values");
        });
        check("the_broker_recompresses_when_the_topic_says_so", () -> {
            String made = topic(1, "compression.type", "zstd");
            produce(Map.of("compression.type", "gzip"), numbered(made, 0, 100));
            equal(values(read(made, 100, Map.of())), numbers(0, 100), "values");
        });
        check("a_record_too_large_is_refused", () -> {
            String made = topic(1, "max.message.bytes", "10000");
            fails(RecordTooLargeException.class, () -> produce(Map.of(),
                List.of(new ProducerRecord<>(made, new byte[20_000]))));
        });
        check("a_compacted_topic_refuses_records_without_a_key", () -> {
            String made = topic(1, "cleanup.policy", "compact");
            fails(InvalidRecordException.class, () -> produce(Map.of(),
                List.of(new ProducerRecord<>(made, "no key".getBytes(UTF_8)))));
            produce(Map.of(), List.of(new ProducerRecord<>(made, new byte[] {1}, null)));
        });
        check("a_timestamp_too_far_ahead_is_refused", () -> {
            String made = topic(1);
            long tomorrow = System.currentTimeMillis() + 86_400_000L;
            fails(InvalidTimestampException.class, () -> produce(Map.of(),
                List.of(new ProducerRecord<>(made, 0, tomorrow, null, new byte[1]))));
        });
    }

    private static void everyByteComesBack(String codec) throws Exception {
        byte[] noise = new byte[70_000];
        new Random(1).nextBytes(noise);
        List<Header> headers = List.of(new RecordHeader("a", ALL_BYTES), new RecordHeader("null", (byte[]) null),
            new RecordHeader("a", new byte[0]), new RecordHeader("имя", "x".getBytes(UTF_8)));
        byte[] empty = new byte[0];
        byte[] text = "kafka ".repeat(20_000).getBytes(UTF_8);
        byte[][][] contents = {
            {ALL_BYTES, ALL_BYTES}, {null, ALL_BYTES}, {empty, empty}, {ALL_BYTES, null}, {null, null},
            {empty, text}, {"noise".getBytes(UTF_8), noise},
        };
        String made = topic(1);
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (byte[][] content : contents) {
            records.add(new ProducerRecord<>(made, 0, content[0], content[1], headers));
        }
        produce(Map.of("compression.type", codec), records);
        List<String> wanted = records.stream().map(r -> picture(r.key(), r.value(), r.headers())).toList();
        List<String> found = read(made, contents.length, Map.of()).stream()
            .map(r -> picture(r.key(), r.value(), r.headers())).toList();
        isTrue(found.equals(wanted), "the records differ");
    }

    private static void consuming() {
        check("seeks_by_time", () -> {
            String made = topic(1);
            TopicPartition partition = new TopicPartition(made, 0);
            long start = System.currentTimeMillis() - 20 * 600_000L;
            List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                records.add(new ProducerRecord<>(made, 0, start + i * 600_000L, null, ("" + i).getBytes(UTF_8)));
            }
            produce(Map.of(), records);
            try (var consumer = consumer(null, Map.of())) {
                consumer.assign(List.of(partition));
                for (int i = 0; i < 20; i++) {
                    OffsetAndTimestamp found = consumer.offsetsForTimes(
                        Map.of(partition, start + i * 600_000L - 1)).get(partition);
                    equal(found.offset(), (long) i, "offset");
                    equal(found.timestamp(), start + i * 600_000L, "timestamp");
                }
                equal(consumer.offsetsForTimes(Map.of(partition, start + 20 * 600_000L)).get(partition), null,
                    "after the end");
                consumer.seek(partition, 13);
                equal(values(take(consumer, 7)), numbers(13, 20), "values");
                equal(consumer.beginningOffsets(List.of(partition)).get(partition), 0L, "beginning");
                equal(consumer.endOffsets(List.of(partition)).get(partition), 20L, "end");
            }
        });
        check("an_offset_out_of_range_is_told", () -> {
            String made = topic(1);
            TopicPartition partition = new TopicPartition(made, 0);
            try (var consumer = consumer(null, Map.of("auto.offset.reset", "none"))) {
                consumer.assign(List.of(partition));
                consumer.seek(partition, 1_000);
                fails(org.apache.kafka.clients.consumer.InvalidOffsetException.class, () -> take(consumer, 1));
            }
        });
        check("a_batch_larger_than_the_fetch_size_still_comes", () -> {
            String made = topic(1);
            produce(Map.of(), List.of(new ProducerRecord<>(made, 0, null, new byte[500_000])));
            Map<String, Object> small = Map.of("fetch.max.bytes", "1000", "max.partition.fetch.bytes", "1000");
            equal(read(made, 1, small).get(0).value().length, 500_000, "size");
        });
        check("many_partitions_are_fetched_fairly", () -> {
            String made = topic(30);
            List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
            for (int i = 0; i < 3_000; i++) {
                records.add(new ProducerRecord<>(made, i % 30, null, ("" + i).getBytes(UTF_8)));
            }
            produce(Map.of(), records);
            try (var consumer = consumer(null, Map.of("max.partition.fetch.bytes", "500"))) {
                consumer.assign(IntStream.range(0, 30).mapToObj(p -> new TopicPartition(made, p)).toList());
                consumer.seekToBeginning(consumer.assignment());
                equal(take(consumer, 3_000).stream().map(r -> new String(r.value(), UTF_8))
                    .collect(Collectors.toSet()).size(), 3_000, "different values");
            }
        });
        check("a_seek_with_a_leader_epoch_is_validated", () -> {
            String made = topic(1);
            TopicPartition partition = new TopicPartition(made, 0);
            produce(Map.of(), numbered(made, 0, 10));
            try (var consumer = consumer(null, Map.of())) {
                consumer.assign(List.of(partition));
                consumer.seek(partition, new OffsetAndMetadata(4, Optional.of(0), ""));
                equal(values(take(consumer, 6)), numbers(4, 10), "values");
            }
        });
        check("read_committed_sees_plain_records", () -> {
            String made = topic(1);
            produce(Map.of(), numbered(made, 0, 5));
            equal(values(read(made, 5, Map.of("isolation.level", "read_committed"))), numbers(0, 5), "values");
        });
    }

    /** A group member on a thread of its own. */
    private static final class Member implements ConsumerRebalanceListener {
        final KafkaConsumer<byte[], byte[]> consumer;
        final Set<Integer> assignment = ConcurrentHashMap.newKeySet();
        final Queue<ConsumerRecord<byte[], byte[]>> seen = new ConcurrentLinkedQueue<>();
        final AtomicInteger rebalances = new AtomicInteger();
        final String group;
        final Thread thread;
        volatile String last = "polls";

        Member(String group, String topic, Map<String, Object> extra) {
            this.group = group;
            consumer = consumer(group, extra);
            consumer.subscribe(List.of(topic), this);
            thread = new Thread(this::run, "member of " + group);
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            rebalances.incrementAndGet();
            partitions.forEach(partition -> assignment.add(partition.partition()));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            partitions.forEach(partition -> assignment.remove(partition.partition()));
        }

        private void run() {
            try (consumer) {
                while (true) {
                    consumer.poll(Duration.ofMillis(100)).forEach(seen::add);
                }
            } catch (WakeupException leave) {
                // close() sends the farewell.
                last = "leaves";
            } catch (RuntimeException error) {
                last = "died of " + error;
            }
        }

        @Override
        public String toString() {
            return last + " with " + new TreeSet<>(assignment) + " after " + rebalances + " assignments";
        }

        void leave() throws Exception {
            consumer.wakeup();
            thread.join(20_000);
            isTrue(!thread.isAlive(), "a member does not leave");
        }
    }

    private static void shared(List<Member> members, int partitions) throws Exception {
        until(members.size() + " members sharing " + partitions + " partitions", () -> {
            List<Integer> all = members.stream().flatMap(m -> m.assignment.stream()).sorted().toList();
            IntSummaryStatistics sizes =
                members.stream().mapToInt(m -> m.assignment.size()).summaryStatistics();
            return all.equals(IntStream.range(0, partitions).boxed().toList())
                && sizes.getMax() - sizes.getMin() <= 1;
        }, () -> members + ", the group: "
            + get(admin.describeConsumerGroups(List.of(members.get(0).group)).all()).values());
    }

    private static void groups() {
        for (String assignor : List.of("Range", "RoundRobin", "Sticky", "CooperativeSticky")) {
            check("three_members_join_and_leave_" + assignor, () -> threeMembers(Map.of(
                "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer." + assignor + "Assignor")));
        }
        check("three_static_members_return_without_a_rebalance", () -> {
            String made = topic(3);
            String group = name("group");
            List<Member> members = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                members.add(new Member(group, made, Map.of("group.instance.id", "member-" + i)));
            }
            shared(members, 3);
            int before = members.get(0).rebalances.get();
            Set<Integer> had = Set.copyOf(members.get(2).assignment);
            members.remove(2).leave();
            members.add(new Member(group, made, Map.of("group.instance.id", "member-2")));
            shared(members, 3);
            equal(members.get(2).assignment, had, "its partitions");
            equal(members.get(0).rebalances.get(), before, "assignments that another member saw");
            for (Member member : members) {
                member.leave();
            }
            // Static members stay in the group until their session ends, or an admin removes them.
            get(admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions()).all());
            until("an empty group", () -> get(admin.describeConsumerGroups(List.of(group)).all())
                .get(group).groupState() == GroupState.EMPTY);
        });
        check("a_second_static_member_fences_the_first", () -> {
            String made = topic(1);
            String group = name("group");
            Map<String, Object> same = Map.of("group.instance.id", "the-one");
            try (var first = consumer(group, same); var second = consumer(group, same)) {
                first.subscribe(List.of(made));
                produce(Map.of(), numbered(made, 0, 3));
                take(first, 3);
                second.subscribe(List.of(made));
                take(second, 3);
                fails(FencedInstanceIdException.class, () -> first.commitSync(
                    Map.of(new TopicPartition(made, 0), new OffsetAndMetadata(1))));
            }
        });
        check("a_group_resumes_where_it_committed", () -> {
            String made = topic(1);
            String group = name("group");
            TopicPartition partition = new TopicPartition(made, 0);
            produce(Map.of(), numbered(made, 0, 10));
            try (var first = consumer(group, Map.of("max.poll.records", "4"))) {
                first.subscribe(List.of(made));
                take(first, 4);
                first.commitSync(Map.of(partition, new OffsetAndMetadata(4, Optional.of(0), "four")));
            }
            try (var second = consumer(group, Map.of())) {
                OffsetAndMetadata found = second.committed(Set.of(partition)).get(partition);
                equal(found, new OffsetAndMetadata(4, Optional.of(0), "four"), "committed offset");
                second.subscribe(List.of(made));
                equal(values(take(second, 6)), numbers(4, 10), "values");
            }
        });
        check("a_stale_generation_may_not_commit", () -> {
            String made = topic(1);
            String group = name("group");
            produce(Map.of(), numbered(made, 0, 3));
            Map<String, Object> lazy = Map.of("max.poll.interval.ms", "1000", "session.timeout.ms", "6000");
            try (var first = consumer(group, lazy); var second = consumer(group, Map.of())) {
                first.subscribe(List.of(made));
                take(first, 3);
                // It polls no more, so its heartbeat thread leaves the group and the second takes over.
                second.subscribe(List.of(made));
                take(second, 3);
                fails(CommitFailedException.class, () -> first.commitSync(
                    Map.of(new TopicPartition(made, 0), new OffsetAndMetadata(1))));
            }
        });
        check("a_pattern_subscription_finds_new_topics", () -> {
            String prefix = name("pattern");
            get(admin.createTopics(List.of(new NewTopic(prefix + "-a", 1, (short) 1))).all());
            try (var consumer = consumer(name("group"), Map.of("metadata.max.age.ms", "500"))) {
                consumer.subscribe(java.util.regex.Pattern.compile(prefix + "-.*"));
                produce(Map.of(), numbered(prefix + "-a", 0, 1));
                take(consumer, 1);
                consumer.commitSync();
                get(admin.createTopics(List.of(new NewTopic(prefix + "-b", 1, (short) 1))).all());
                produce(Map.of(), numbered(prefix + "-b", 0, 1));
                equal(take(consumer, 1).get(0).topic(), prefix + "-b", "topic");
            }
        });
    }

    private static void threeMembers(Map<String, Object> config) throws Exception {
        String made = topic(6);
        String group = name("group");
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            members.add(new Member(group, made, config));
        }
        shared(members, 6);
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            byte[] text = ("" + i).getBytes(UTF_8);
            records.add(new ProducerRecord<>(made, text, text));
        }
        produce(Map.of(), records);
        until("all records", () -> members.stream().mapToInt(m -> m.seen.size()).sum() >= 300);
        List<String> found = members.stream().flatMap(m -> m.seen.stream())
            .map(record -> new String(record.value(), UTF_8)).toList();
        equal(found.size(), 300, "records");
        equal(Set.copyOf(found).size(), 300, "different records");
        members.remove(2).leave();
        shared(members, 6);
        members.add(new Member(group, made, config));
        shared(members, 6);
        for (Member member : members) {
            member.leave();
        }
    }

    private static void administering() {
        check("describes_and_alters_configs", () -> {
            String made = topic(1, "retention.ms", "123456789");
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, made);
            get(admin.incrementalAlterConfigs(Map.of(resource, List.of(
                new AlterConfigOp(new ConfigEntry("max.message.bytes", "5000"), AlterConfigOp.OpType.SET),
                new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE)))).all());
            until("the new configs", () -> {
                Config config = get(admin.describeConfigs(List.of(resource)).all()).get(resource);
                return config.get("max.message.bytes").value().equals("5000")
                    && config.get("retention.ms").isDefault();
            });
            Config config = get(admin.describeConfigs(List.of(resource),
                new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all())
                .get(resource);
            ConfigEntry entry = config.get("max.message.bytes");
            equal(entry.source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "source");
            equal(entry.type(), ConfigEntry.ConfigType.INT, "type");
            isTrue(entry.synonyms().size() >= 2, "synonyms: " + entry.synonyms());
            isTrue(entry.documentation() != null && !entry.documentation().isEmpty(), "documentation");
            fails(InvalidConfigurationException.class, () -> get(admin.incrementalAlterConfigs(Map.of(resource,
                List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "soon"),
                    AlterConfigOp.OpType.SET)))).all()));
        });
        check("describes_every_topic_config_of_kafka", () -> {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic(1));
            Set<String> found = get(admin.describeConfigs(List.of(resource)).all()).get(resource).entries()
                .stream().map(ConfigEntry::name).collect(Collectors.toSet());
            Set<String> wanted = new TreeSet<>(
                org.apache.kafka.storage.internals.log.LogConfig.nonInternalConfigNames());
            wanted.removeAll(found);
            equal(wanted, Set.of(), "configs that are missing");
        });
        check("describes_broker_configs", () -> {
            Node node = get(admin.describeCluster().nodes()).iterator().next();
            ConfigResource resource = new ConfigResource(ConfigResource.Type.BROKER, node.idString());
            Config config = get(admin.describeConfigs(List.of(resource)).all()).get(resource);
            isTrue(config.get("log.retention.hours") != null, "log.retention.hours is there");
        });
        check("lists_offsets", () -> {
            String made = topic(1);
            TopicPartition partition = new TopicPartition(made, 0);
            long now = System.currentTimeMillis();
            List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
            for (long age : new long[] {40, 10, 30, 20}) {
                records.add(new ProducerRecord<>(made, 0, now - age, null, new byte[1]));
            }
            produce(Map.of(), records);
            Map<OffsetSpec, Long> wanted = new LinkedHashMap<>();
            wanted.put(OffsetSpec.earliest(), 0L);
            wanted.put(OffsetSpec.latest(), 4L);
            wanted.put(OffsetSpec.maxTimestamp(), 1L);
            wanted.put(OffsetSpec.forTimestamp(now - 30), 1L);
            wanted.put(OffsetSpec.forTimestamp(now + 1), -1L);
            wanted.put(OffsetSpec.earliestLocal(), 0L);
            wanted.put(OffsetSpec.latestTiered(), -1L);
            for (var entry : wanted.entrySet()) {
                var found = get(admin.listOffsets(Map.of(partition, entry.getKey())).all()).get(partition);
                equal(found.offset(), entry.getValue(), entry.getKey().getClass().getSimpleName());
            }
        });
        check("deletes_records", () -> {
            String made = topic(1);
            TopicPartition partition = new TopicPartition(made, 0);
            produce(Map.of(), numbered(made, 0, 10));
            equal(get(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(6)))
                .lowWatermarks().get(partition)).lowWatermark(), 6L, "low watermark");
            equal(values(read(made, 4, Map.of())), numbers(6, 10), "values left");
            fails(org.apache.kafka.common.errors.OffsetOutOfRangeException.class, () ->
                get(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(99))).all()));
        });
        check("creates_partitions", () -> {
            String made = topic(1);
            get(admin.createPartitions(Map.of(made, NewPartitions.increaseTo(4))).all());
            until("four partitions", () -> get(admin.describeTopics(List.of(made)).allTopicNames())
                .get(made).partitions().size() == 4);
            fails(InvalidPartitionsException.class, () ->
                get(admin.createPartitions(Map.of(made, NewPartitions.increaseTo(2))).all()));
        });
        check("deletes_topics_by_name_and_id", () -> {
            String first = topic(1);
            String second = topic(1);
            Uuid id = get(admin.describeTopics(List.of(second)).allTopicNames()).get(second).topicId();
            get(admin.deleteTopics(List.of(first)).all());
            get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
            until("their end", () -> Collections.disjoint(get(admin.listTopics().names()), List.of(first, second)));
            fails(UnknownTopicOrPartitionException.class, () -> get(admin.deleteTopics(List.of(first)).all()));
        });
        check("lists_describes_and_deletes_groups", JavaClientSuite::groupAdministration);
        check("describes_the_cluster_and_its_directories", () -> {
            String made = topic(1);
            produce(Map.of(), List.of(new ProducerRecord<>(made, 0, null, new byte[1_000])));
            DescribeClusterResult cluster = admin.describeCluster();
            Node node = get(cluster.nodes()).iterator().next();
            equal(get(cluster.controller()).id(), node.id(), "controller");
            isTrue(!get(cluster.clusterId()).isEmpty(), "there is a cluster id");
            var dirs = get(admin.describeLogDirs(List.of(node.id())).allDescriptions()).get(node.id());
            ReplicaInfo replica = dirs.values().stream()
                .flatMap(dir -> dir.replicaInfos().entrySet().stream())
                .filter(entry -> entry.getKey().topic().equals(made)).findFirst().orElseThrow().getValue();
            isTrue(replica.size() > 1_000 && replica.offsetLag() == 0, "replica " + replica);
            isTrue(dirs.values().iterator().next().totalBytes().orElse(0) > 0, "total bytes");
        });
        check("elections_and_reassignments_answer_on_one_node", () -> {
            TopicPartition partition = new TopicPartition(topic(1), 0);
            fails(ElectionNotNeededException.class, () ->
                get(admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).all()));
            equal(get(admin.listPartitionReassignments().reassignments()), Map.of(), "reassignments");
            QuorumInfo quorum = get(admin.describeMetadataQuorum().quorumInfo());
            equal(quorum.voters().size(), 1, "voters");
        });
        check("describes_producers", () -> {
            String made = topic(1);
            TopicPartition partition = new TopicPartition(made, 0);
            produce(Map.of("enable.idempotence", "true"), numbered(made, 0, 5));
            List<ProducerState> producers = get(admin.describeProducers(List.of(partition))
                .partitionResult(partition)).activeProducers();
            equal(producers.size(), 1, "producers");
            equal(producers.get(0).lastSequence(), 4, "last sequence");
        });
    }

    private static void groupAdministration() throws Exception {
        String made = topic(2);
        String group = name("group");
        TopicPartition first = new TopicPartition(made, 0);
        Member member = new Member(group, made, Map.of("client.id", "a-member"));
        shared(List.of(member), 2);
        GroupListing listed = get(admin.listGroups().all()).stream()
            .filter(g -> g.groupId().equals(group)).findFirst().orElseThrow();
        equal(listed.groupState().orElseThrow(), GroupState.STABLE, "state");
        equal(listed.type().orElseThrow(), GroupType.CLASSIC, "type");
        ConsumerGroupDescription found = get(admin.describeConsumerGroups(List.of(group)).all()).get(group);
        equal(found.groupState(), GroupState.STABLE, "state");
        equal(found.members().size(), 1, "members");
        MemberDescription described = found.members().iterator().next();
        equal(described.clientId(), "a-member", "client id");
        equal(described.assignment().topicPartitions().size(), 2, "assigned partitions");
        isTrue(described.host().startsWith("/127.0.0.1"), "host " + described.host());
        fails(GroupNotEmptyException.class, () -> get(admin.deleteConsumerGroups(List.of(group)).all()));
        fails(UnknownMemberIdException.class, () -> get(admin.alterConsumerGroupOffsets(group,
            Map.of(first, new OffsetAndMetadata(0))).all()));
        member.leave();
        get(admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(7))).all());
        equal(get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()).get(first).offset(), 7L,
            "altered offset");
        get(admin.deleteConsumerGroupOffsets(group, Set.of(first)).all());
        equal(get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()).get(first), null,
            "deleted offset");
        get(admin.deleteConsumerGroups(List.of(group)).all());
        fails(GroupIdNotFoundException.class, () -> get(admin.deleteConsumerGroups(List.of(group)).all()));
        fails(GroupIdNotFoundException.class, () ->
            get(admin.describeConsumerGroups(List.of(group)).all()));
    }
}
