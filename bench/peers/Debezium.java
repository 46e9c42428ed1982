import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.JsonByteArray;
import java.io.FileReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/** Brings the changes of one table into a topic, and prints how many a second, once the virtual machine is warm. */
public class Debezium {
    /** engine.properties, producer.properties, topic, how many changes. */
    public static void main(String[] given) throws Exception {
        int wanted = Integer.parseInt(given[3]);
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(read(given[1]));
        producer.partitionsFor(given[2]);
        long[] began = {0};
        int[] before = {0};
        int[] brought = {0};
        DebeziumEngine<ChangeEvent<byte[], byte[]>> engine = DebeziumEngine.create(JsonByteArray.class)
                .using(read(given[0]))
                .using((success, message, error) -> {
                    if (!success) {
                        System.err.println(message + ": " + error);
                        System.exit(1);
                    }
                })
                .notifying((changes, committer) -> {
                    if (began[0] == 0 && brought[0] >= wanted / 3) {
                        began[0] = System.nanoTime();
                        before[0] = brought[0];
                    }
                    List<Future<RecordMetadata>> sent = new ArrayList<>();
                    for (ChangeEvent<byte[], byte[]> change : changes) {
                        sent.add(producer.send(new ProducerRecord<>(given[2], 0, change.key(), change.value())));
                    }
                    for (Future<RecordMetadata> each : sent) {
                        try {
                            each.get();
                        } catch (java.util.concurrent.ExecutionException error) {
                            throw new IllegalStateException(error);
                        }
                    }
                    for (ChangeEvent<byte[], byte[]> change : changes) {
                        committer.markProcessed(change);
                    }
                    committer.markBatchFinished();
                    brought[0] += changes.size();
                    if (brought[0] >= wanted) {
                        System.out.println((brought[0] - before[0]) / ((System.nanoTime() - began[0]) / 1e9));
                        System.exit(0);
                    }
                })
                .build();
        Executors.newSingleThreadExecutor().execute(engine);
    }

    private static Properties read(String file) throws java.io.IOException {
        Properties properties = new Properties();
        try (FileReader reader = new FileReader(file)) {
            properties.load(reader);
        }
        return properties;
    }
}
