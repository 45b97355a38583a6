import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

/**
 * Makes Kafka's own client send as many kinds of request as it knows, so that a recording proxy can keep them.
 * A step that the negotiated versions do not allow is told and passed over.
 *
 * Arguments: bootstrap address, a word that makes names unique, "static" where group instance ids are known.
 */
public final class WireWorkload {
    private static String bootstrap;
    private static String run;
    private static boolean staticMembers;
    private static Admin admin;

    interface Step {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        run = args[1];
        staticMembers = args[2].equals("static");
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("client.id", "admin-" + run);
        config.put("default.api.timeout.ms", "8000");
        config.put("request.timeout.ms", "6000");
        admin = Admin.create(config);
        topics();
        produce();
        consume();
        groups();
        transactions();
        describe();
        security();
        newGroups();
        deletions();
        admin.close(Duration.ofSeconds(1));
        System.exit(0);
    }

    private static void step(String name, Step step) {
        try {
            step.run();
            System.out.println("did " + name);
        } catch (Throwable error) {
            Throwable cause = error.getCause() == null ? error : error.getCause();
            System.out.println("not " + name + ": " + cause);
        }
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(10, TimeUnit.SECONDS);
    }

    private static String topic(String name) {
        return name + "-" + run;
    }

    private static void topics() {
        NewTopic plain = new NewTopic(topic("plain"), 2, (short) 1)
            .configs(Map.of("retention.ms", "100000000", "cleanup.policy", "delete"));
        NewTopic placed = new NewTopic(topic("placed"), Map.of(0, List.of(1)));
        NewTopic other = new NewTopic(topic("other"), 1, (short) 1);
        step("createTopics", () -> get(admin.createTopics(List.of(plain, placed, other)).all()));
        step("createTopics again", () -> get(admin.createTopics(List.of(plain)).all()));
        step("createTopics dry", () -> get(admin.createTopics(
            List.of(new NewTopic(topic("dry"), 1, (short) 1)),
            new CreateTopicsOptions().validateOnly(true)).all()));
        step("createPartitions", () ->
            get(admin.createPartitions(Map.of(topic("plain"), NewPartitions.increaseTo(3))).all()));
        step("listTopics", () ->
            get(admin.listTopics(new ListTopicsOptions().listInternal(true)).names()));
        step("describeTopics", () -> get(admin.describeTopics(
            TopicCollection.ofTopicNames(List.of(topic("plain"), topic("missing"))),
            new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames()));
        step("describeTopics by id", () -> {
            Uuid id = get(admin.describeTopics(List.of(topic("plain"))).allTopicNames())
                .get(topic("plain")).topicId();
            get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds());
        });
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic("plain"));
        step("incrementalAlterConfigs", () -> get(admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("max.message.bytes", "200000"), AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("retention.ms", null), AlterConfigOp.OpType.DELETE)))).all()));
        step("describeConfigs", () -> get(admin.describeConfigs(List.of(resource),
            new DescribeConfigsOptions().includeSynonyms(true)).all()));
        step("describeConfigs of a group", () -> get(admin.describeConfigs(
            List.of(new ConfigResource(ConfigResource.Type.GROUP, "g-" + run))).all()));
    }

    private static Properties clientConfig(String id) {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("client.id", id);
        config.put("request.timeout.ms", "6000");
        config.put("default.api.timeout.ms", "8000");
        config.put("max.block.ms", "8000");
        config.put("delivery.timeout.ms", "8000");
        config.put("linger.ms", "20");
        return config;
    }

    private static void produceWith(String id, Map<String, String> extra, String topic, int count)
        throws Exception {
        Properties config = clientConfig(id);
        config.putAll(extra);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < count; i++) {
                var record = new ProducerRecord<>(topic, 0, 1_700_000_000_000L + i, "k" + i, "v" + i);
                record.headers().add("h", new byte[] {1, 2, 3});
                producer.send(record);
            }
            producer.flush();
        }
    }

    private static void produce() {
        step("produce", () -> produceWith("plain", Map.of("enable.idempotence", "false"), topic("plain"), 3));
        step("produce idempotent", () -> produceWith("idem", Map.of(), topic("other"), 3));
        step("produce lz4", () -> produceWith("lz4", Map.of("compression.type", "lz4"), topic("plain"), 2));
        step("produce too large", () -> {
            Properties config = clientConfig("large");
            try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
                producer.send(new ProducerRecord<>(topic("plain"), "x".repeat(300_000))).get();
            }
        });
    }

    private static KafkaConsumer<String, String> consumer(String group, Map<String, String> extra) {
        Properties config = clientConfig("consumer-" + group);
        config.put("group.id", group);
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        config.put("fetch.max.wait.ms", "100");
        config.putAll(extra);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static int pollUntil(Consumer<String, String> consumer, int wanted) {
        long deadline = System.nanoTime() + 8_000_000_000L;
        int found = 0;
        while (found < wanted && System.nanoTime() < deadline) {
            found += consumer.poll(Duration.ofMillis(200)).count();
        }
        return found;
    }

    private static void consume() {
        TopicPartition partition = new TopicPartition(topic("plain"), 0);
        step("assign and fetch", () -> {
            try (var consumer = consumer("assign-" + run, Map.of("isolation.level", "read_committed"))) {
                consumer.assign(List.of(partition));
                consumer.seek(partition, new OffsetAndMetadata(0, Optional.of(0), ""));
                pollUntil(consumer, 5);
                consumer.poll(Duration.ofMillis(300));
                consumer.offsetsForTimes(Map.of(partition, 1_700_000_000_001L));
                consumer.beginningOffsets(List.of(partition));
                consumer.endOffsets(List.of(partition));
                consumer.seek(partition, 1_000);
                consumer.poll(Duration.ofMillis(300));
            }
        });
        step("list offsets", () -> {
            for (OffsetSpec spec : List.of(OffsetSpec.forTimestamp(1_700_000_000_001L),
                    OffsetSpec.maxTimestamp(), OffsetSpec.earliestLocal(), OffsetSpec.latestTiered(),
                    OffsetSpec.earliest(), OffsetSpec.latest())) {
                step("  " + spec.getClass().getSimpleName(), () ->
                    get(admin.listOffsets(Map.of(partition, spec)).all()));
            }
        });
        step("delete records", () -> get(admin.deleteRecords(
            Map.of(partition, RecordsToDelete.beforeOffset(1))).all()));
    }

    private static void groups() {
        String group = "group-" + run;
        step("group of two", () -> {
            Map<String, String> extra = staticMembers
                ? Map.of("group.instance.id", "static-" + run) : Map.of();
            try (var first = consumer(group, extra); var second = consumer(group, Map.of())) {
                first.subscribe(List.of(topic("plain"), topic("other")));
                second.subscribe(List.of(topic("plain")));
                Thread other = new Thread(() -> pollUntil(second, 1_000_000));
                other.setDaemon(true);
                other.start();
                pollUntil(first, 6);
                first.commitSync(Map.of(new TopicPartition(topic("plain"), 0),
                    new OffsetAndMetadata(2, Optional.of(0), "where I was")));
                first.committed(Set.of(new TopicPartition(topic("plain"), 0)));
                step("listGroups", () -> get(admin.listGroups().all()));
                step("listGroups by state", () -> get(admin.listGroups(new ListGroupsOptions()
                    .inGroupStates(Set.of(GroupState.STABLE)).withTypes(Set.of(GroupType.CLASSIC))).all()));
                step("describeClassicGroups", () -> get(admin.describeClassicGroups(List.of(group),
                    new DescribeClassicGroupsOptions().includeAuthorizedOperations(true)).all()));
                step("describeConsumerGroups", () -> get(admin.describeConsumerGroups(List.of(group)).all()));
                step("deleteConsumerGroups in use", () ->
                    get(admin.deleteConsumerGroups(List.of(group)).all()));
                other.join();
            }
        });
        step("removeMembers", () -> get(admin.removeMembersFromConsumerGroup(group,
            new RemoveMembersFromConsumerGroupOptions(
                List.of(new MemberToRemove("static-" + run)))).all()));
        step("alterConsumerGroupOffsets", () -> get(admin.alterConsumerGroupOffsets("altered-" + run,
            Map.of(new TopicPartition(topic("plain"), 1), new OffsetAndMetadata(0))).all()));
        step("listConsumerGroupOffsets", () -> get(admin.listConsumerGroupOffsets(Map.of(
            group, new ListConsumerGroupOffsetsSpec(),
            "altered-" + run, new ListConsumerGroupOffsetsSpec()
                .topicPartitions(List.of(new TopicPartition(topic("plain"), 1))))).all()));
        step("deleteConsumerGroupOffsets", () -> get(admin.deleteConsumerGroupOffsets(group,
            Set.of(new TopicPartition(topic("plain"), 0))).all()));
        step("deleteConsumerGroups", () -> get(admin.deleteConsumerGroups(List.of(group, "no-" + run)).all()));
    }

    private static void transactions() {
        step("transactions", () -> {
            Properties config = clientConfig("txn");
            config.put("transactional.id", "txn-" + run);
            String group = "txn-group-" + run;
            try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
                 var consumer = consumer(group, Map.of())) {
                producer.initTransactions();
                consumer.subscribe(List.of(topic("plain")));
                pollUntil(consumer, 1);
                for (boolean commit : List.of(true, false)) {
                    producer.beginTransaction();
                    producer.send(new ProducerRecord<>(topic("other"), "k", "v"));
                    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                    offsets.put(new TopicPartition(topic("plain"), 0), new OffsetAndMetadata(1));
                    producer.sendOffsetsToTransaction(offsets, staticMembers
                        ? consumer.groupMetadata() : new ConsumerGroupMetadata(group));
                    producer.flush();
                    step("describeProducers", () -> get(admin.describeProducers(
                        List.of(new TopicPartition(topic("other"), 0))).all()));
                    step("listTransactions", () -> get(admin.listTransactions().all()));
                    step("describeTransactions", () ->
                        get(admin.describeTransactions(List.of("txn-" + run)).all()));
                    if (commit) {
                        producer.commitTransaction();
                    } else {
                        producer.abortTransaction();
                    }
                }
            }
        });
        step("fenceProducers", () -> get(admin.fenceProducers(List.of("txn-" + run)).all()));
    }

    private static void describe() {
        step("describeCluster", () -> get(admin.describeCluster(
            new DescribeClusterOptions().includeAuthorizedOperations(true)).nodes()));
        step("describeCluster fenced", () -> get(admin.describeCluster(
            new DescribeClusterOptions().includeFencedBrokers(true)).nodes()));
        step("describeLogDirs", () -> get(admin.describeLogDirs(List.of(1)).allDescriptions()));
        step("alterReplicaLogDirs", () -> get(admin.alterReplicaLogDirs(Map.of(
            new TopicPartitionReplica(topic("plain"), 0, 1), "/nowhere")).all()));
        step("listPartitionReassignments", () -> get(admin.listPartitionReassignments().reassignments()));
        step("alterPartitionReassignments", () -> get(admin.alterPartitionReassignments(Map.of(
            new TopicPartition(topic("plain"), 0),
            Optional.of(new NewPartitionReassignment(List.of(1))))).all()));
        step("electLeaders", () -> get(admin.electLeaders(ElectionType.PREFERRED,
            Set.of(new TopicPartition(topic("plain"), 0))).all()));
        step("electLeaders unclean", () -> get(admin.electLeaders(ElectionType.UNCLEAN,
            Set.of(new TopicPartition(topic("plain"), 0))).all()));
        step("describeMetadataQuorum", () -> get(admin.describeMetadataQuorum().quorumInfo()));
        step("describeFeatures", () -> get(admin.describeFeatures().featureMetadata()));
        step("updateFeatures", () -> get(admin.updateFeatures(Map.of("share.version",
            new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)),
            new UpdateFeaturesOptions().validateOnly(true)).all()));
        step("listConfigResources", () -> get(admin.listConfigResources().all()));
        step("listClientMetrics", () -> get(admin.listConfigResources(
            Set.of(ConfigResource.Type.CLIENT_METRICS), new ListConfigResourcesOptions()).all()));
        step("unregisterBroker", () -> get(admin.unregisterBroker(77).all()));
    }

    private static void security() {
        ClientQuotaEntity entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, "u-" + run));
        step("alterClientQuotas", () -> get(admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity,
            List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1e6))))).all()));
        step("describeClientQuotas", () ->
            get(admin.describeClientQuotas(ClientQuotaFilter.all()).entities()));
        step("alterUserScram", () -> get(admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("u-" + run,
                new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "not a secret"))).all()));
        step("describeUserScram", () -> get(admin.describeUserScramCredentials().all()));
        ResourcePattern pattern = new ResourcePattern(ResourceType.TOPIC, "t", PatternType.PREFIXED);
        AccessControlEntry entry =
            new AccessControlEntry("User:u", "*", AclOperation.READ, AclPermissionType.ALLOW);
        AclBinding binding = new AclBinding(pattern, entry);
        step("createAcls", () -> get(admin.createAcls(List.of(binding)).all()));
        step("describeAcls", () -> get(admin.describeAcls(binding.toFilter()).values()));
        step("deleteAcls", () -> get(admin.deleteAcls(List.of(binding.toFilter())).all()));
        step("createDelegationToken", () -> get(admin.createDelegationToken().delegationToken()));
        step("describeDelegationToken", () -> get(admin.describeDelegationToken().delegationTokens()));
        step("renewDelegationToken", () ->
            get(admin.renewDelegationToken(new byte[] {1, 2}).expiryTimestamp()));
        step("expireDelegationToken", () ->
            get(admin.expireDelegationToken(new byte[] {1, 2}).expiryTimestamp()));
    }

    private static void newGroups() {
        String group = "new-" + run;
        step("consumer protocol", () -> {
            try (var consumer = consumer(group, Map.of("group.protocol", "consumer"))) {
                consumer.subscribe(List.of(topic("other")));
                pollUntil(consumer, 3);
                consumer.commitSync();
                step("describe", () -> get(admin.describeConsumerGroups(List.of(group)).all()));
            }
        });
        step("share group", () -> {
            Properties config = clientConfig("share");
            config.put("group.id", "share-" + run);
            config.put("share.acknowledgement.mode", "explicit");
            get(admin.incrementalAlterConfigs(Map.of(
                new ConfigResource(ConfigResource.Type.GROUP, "share-" + run),
                List.of(new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"),
                    AlterConfigOp.OpType.SET)))).all());
            try (var consumer = new KafkaShareConsumer<>(
                    config, new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(List.of(topic("other")));
                long deadline = System.nanoTime() + 6_000_000_000L;
                int found = 0;
                while (found == 0 && System.nanoTime() < deadline) {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(300))) {
                        consumer.acknowledge(record, AcknowledgeType.ACCEPT);
                        found++;
                    }
                }
                consumer.commitSync();
                step("describeShareGroups", () ->
                    get(admin.describeShareGroups(List.of("share-" + run)).all()));
            }
            step("listShareGroupOffsets", () -> get(admin.listShareGroupOffsets(
                Map.of("share-" + run, new ListShareGroupOffsetsSpec())).all()));
            step("alterShareGroupOffsets", () -> get(admin.alterShareGroupOffsets("share-" + run,
                Map.of(new TopicPartition(topic("other"), 0), 0L)).all()));
            step("deleteShareGroupOffsets", () -> get(admin.deleteShareGroupOffsets("share-" + run,
                Set.of(topic("other"))).all()));
        });
    }

    private static void deletions() {
        step("deleteTopics by id", () -> {
            Uuid id = get(admin.describeTopics(List.of(topic("placed"))).allTopicNames())
                .get(topic("placed")).topicId();
            get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
        });
        Collection<String> rest = new ArrayList<>(List.of(topic("plain"), topic("other"), topic("missing")));
        step("deleteTopics", () -> get(admin.deleteTopics(rest).all()));
    }
}
