import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/**
 * Fills a broker's log directory with one of everything that the format knows: codecs, headers, nulls, segments,
 * compaction, transactions committed, aborted and left open.
 *
 * Arguments: bootstrap address, "first" or "second" (after a restart, so that there are two leader epochs).
 */
public final class LogWorkload {
    private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    /** Well in the past and the same in every recording. */
    private static final long BASE_TIME = 1_700_000_000_000L;
    private static final long SEGMENT_MS = 60_000L;

    private static String bootstrap;
    private static boolean first;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        first = args[1].equals("first");
        if (first) {
            createTopics();
        }
        codecs();
        segments();
        compacted();
        indexed();
        transactions();
        if (first) {
            commitOffsets();
        } else {
            leaveATransactionOpen();
        }
        // Not close(): closing would abort the open transaction.
        Runtime.getRuntime().halt(0);
    }

    private static void createTopics() throws Exception {
        Map<String, String> keep = Map.of("retention.ms", "-1", "message.timestamp.after.max.ms", "9000000000000");
        Map<String, String> rolling = Map.of("retention.ms", "-1", "segment.ms", "" + SEGMENT_MS);
        Map<String, String> compact = Map.of("cleanup.policy", "compact", "segment.ms", "" + SEGMENT_MS,
            "min.cleanable.dirty.ratio", "0.001", "delete.retention.ms", "9000000000000");
        Map<String, String> appendTime = Map.of("message.timestamp.type", "LogAppendTime");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(
                new NewTopic("codecs", 2, (short) 1).configs(keep),
                new NewTopic("segments", 1, (short) 1).configs(rolling),
                new NewTopic("compacted", 1, (short) 1).configs(compact),
                new NewTopic("indexed", 1, (short) 1).configs(keep),
                new NewTopic("append-time", 1, (short) 1).configs(appendTime),
                new NewTopic("transactions", 1, (short) 1).configs(rolling),
                new NewTopic("open-transaction", 1, (short) 1).configs(keep))).all().get();
        }
    }

    private static KafkaProducer<String, String> producer(Map<String, String> extra) {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("linger.ms", "50");
        config.putAll(extra);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    /** Partition 0 gets a batch of each codec with all kinds of records; partition 1 larger batches. */
    private static void codecs() {
        for (String codec : CODECS) {
            try (var producer = producer(Map.of("compression.type", codec, "enable.idempotence", "false"))) {
                long time = BASE_TIME + CODECS.indexOf(codec) * 1_000L;
                producer.send(new ProducerRecord<>("codecs", 0, time, "key-" + codec, "value"));
                producer.send(new ProducerRecord<>("codecs", 0, time + 2, (String) null, "no key"));
                producer.send(new ProducerRecord<>("codecs", 0, time + 1, "tombstone", (String) null));
                producer.send(new ProducerRecord<>("codecs", 0, time + 3, "", ""));
                var headed = new ProducerRecord<>("codecs", 0, time + 3, "headed", "two headers, one null");
                headed.headers().add("h", "x".getBytes()).add("n", null);
                producer.send(headed);
                producer.flush();
                for (int i = 0; i < 20; i++) {
                    producer.send(new ProducerRecord<>("codecs", 1, time + i, "k" + i, "repeat ".repeat(10)));
                }
                producer.send(new ProducerRecord<>("append-time", 0, 1L, codec, "the broker's clock"));
            }
        }
    }

    /** Record times a minute and more apart roll a segment each. */
    private static void segments() {
        try (var producer = producer(Map.of())) {
            for (int i = 0; i < 4; i++) {
                long time = BASE_TIME + (first ? i : i + 4) * 2 * SEGMENT_MS;
                for (int j = 0; j < 3; j++) {
                    producer.send(new ProducerRecord<>("segments", 0, time + j, "k" + j, "segment " + i));
                }
                producer.flush();
            }
        }
    }

    /** Keys that are overwritten and one that is deleted, over segments that the cleaner may touch. */
    private static void compacted() {
        try (var producer = producer(Map.of("compression.type", first ? "none" : "lz4"))) {
            for (int round = 0; round < 3; round++) {
                long time = BASE_TIME + (first ? round : round + 3) * 2 * SEGMENT_MS;
                for (int key = 0; key < 6; key++) {
                    boolean dead = key == 5 && round == 2;
                    String value = dead ? null : "round " + round + (first ? "" : " again");
                    if (key <= 5 - round || dead) {
                        producer.send(new ProducerRecord<>("compacted", 0, time + key, "key-" + key, value));
                    }
                }
                producer.flush();
            }
        }
    }

    /** Enough batches for entries in both indexes; every seventh record's time steps back. */
    private static void indexed() {
        try (var producer = producer(Map.of("linger.ms", "0"))) {
            for (int i = first ? 0 : 40; i < (first ? 40 : 60); i++) {
                long time = BASE_TIME + i * 1_000L - (i % 7 == 6 ? 5_000L : 0);
                producer.send(new ProducerRecord<>("indexed", 0, time, "k" + i, "some text ".repeat(60)));
                producer.flush();
            }
        }
    }

    private static void transactions() {
        try (var producer = producer(Map.of("transactional.id", "log-workload"))) {
            producer.initTransactions();
            for (int i = 0; i < 4; i++) {
                long time = BASE_TIME + (first ? i : i + 4) * SEGMENT_MS;
                boolean commit = i % 2 == 0;
                producer.beginTransaction();
                String value = commit ? "committed" : "aborted";
                producer.send(new ProducerRecord<>("transactions", 0, time, "k" + i, value));
                producer.send(new ProducerRecord<>("transactions", 0, time + 1, "l" + i, value));
                producer.flush();
                if (commit) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
            }
        }
    }

    private static void leaveATransactionOpen() {
        var producer = producer(Map.of("transactional.id", "left-open", "transaction.timeout.ms", "900000"));
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("open-transaction", 0, BASE_TIME, "k", "neither"));
        producer.flush();
    }

    private static void commitOffsets() {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("group.id", "log-workload");
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        var text = new StringDeserializer();
        try (var consumer = new KafkaConsumer<>(config, text, text)) {
            consumer.subscribe(List.of("codecs"));
            while (consumer.poll(Duration.ofMillis(200)).isEmpty()) {
                // The join takes as many polls as it takes.
            }
            consumer.commitSync(Map.of(
                new TopicPartition("codecs", 0), new OffsetAndMetadata(7, "seven"),
                new TopicPartition("codecs", 1), new OffsetAndMetadata(20)));
        }
    }
}
