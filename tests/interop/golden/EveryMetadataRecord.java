import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.SimpleRecord;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * Writes a segment with every record of the metadata log in each of its versions, once with all fields set and once
 * with none: java -cp 'jars/*' EveryMetadataRecord.java DIRECTORY. What Kafka's dump tool prints of it is golden.
 */
public class EveryMetadataRecord {
    private static int count;

    public static void main(String[] args) throws Exception {
        List<SimpleRecord> records = new ArrayList<>();
        for (MetadataRecordType type : MetadataRecordType.values()) {
            for (short version = type.lowestSupportedVersion(); version <= type.highestSupportedVersion(); version++) {
                add(records, type.newMetadataRecord(), version);
                ApiMessage full = type.newMetadataRecord();
                for (Method setter : setters(full.getClass())) {
                    ApiMessage before = (ApiMessage) full.duplicate();
                    setter.invoke(full, value(setter));
                    if (!fits(full, version)) {
                        full = before;
                    }
                }
                add(records, full, version);
            }
        }
        Path file = Path.of(args[0], "00000000000000000000.log");
        try (FileRecords log = FileRecords.open(file.toFile())) {
            long offset = 0;
            for (SimpleRecord record : records) {
                log.append(MemoryRecords.withRecords(offset++, Compression.NONE, record));
            }
        }
    }

    /** A version without a field refuses what is set there. */
    private static boolean fits(ApiMessage message, short version) {
        try {
            bytes(message, version);
            return true;
        } catch (RuntimeException error) {
            return false;
        }
    }

    private static void add(List<SimpleRecord> records, ApiMessage message, short version) {
        records.add(new SimpleRecord(1_700_000_000_000L + records.size(), null, bytes(message, version)));
    }

    private static byte[] bytes(ApiMessage message, short version) {
        ApiMessageAndVersion record = new ApiMessageAndVersion(message, version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(new MetadataRecordSerde().recordSize(record, cache));
        new MetadataRecordSerde().write(record, cache, new ByteBufferAccessor(buffer));
        return buffer.array();
    }

    private static List<Method> setters(Class<?> type) {
        TreeSet<Method> all = new TreeSet<>((a, b) -> a.getName().compareTo(b.getName()));
        for (Method method : type.getDeclaredMethods()) {
            if (method.getName().startsWith("set") && method.getParameterCount() == 1 && !method.isSynthetic()) {
                all.add(method);
            }
        }
        return new ArrayList<>(all);
    }

    private static Object value(Method setter) throws Exception {
        java.lang.reflect.Type type = setter.getGenericParameterTypes()[0];
        if (type instanceof ParameterizedType) {
            Class<?> item = (Class<?>) ((ParameterizedType) type).getActualTypeArguments()[0];
            return new ArrayList<>(List.of(one(item), one(item)));
        }
        if (org.apache.kafka.common.utils.ImplicitLinkedHashCollection.class.isAssignableFrom((Class<?>) type)) {
            Class<?> collection = (Class<?>) type;
            java.util.Collection<Object> items = (java.util.Collection<Object>) collection.getDeclaredConstructor().newInstance();
            Class<?> item = (Class<?>) ((ParameterizedType) collection.getGenericSuperclass()).getActualTypeArguments()[0];
            items.add(one(item));
            items.add(one(item));
            return items;
        }
        return one((Class<?>) type);
    }

    private static Object one(Class<?> type) throws Exception {
        int number = ++count;
        if (type == boolean.class) return true;
        if (type == byte.class || type == Byte.class) return (byte) (number % 100);
        if (type == short.class || type == Short.class) return (short) number;
        if (type == int.class || type == Integer.class) return number;
        if (type == long.class || type == Long.class) return 10_000_000_000L + number;
        if (type == double.class) return 12_345_678.25 * number;
        if (type == String.class) return "é\"\\\n" + number;
        if (type == Uuid.class) return new Uuid(number, -number);
        if (type == byte[].class) return new byte[] {(byte) number, -1, 62, (byte) 200};
        Object struct = type.getDeclaredConstructor().newInstance();
        for (Method setter : setters(type)) {
            setter.invoke(struct, value(setter));
        }
        return struct;
    }
}
