import java.io.FileReader;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;

/** Folds a topic into a table, and prints how many records a second, once the virtual machine is warm. */
public class KafkaStreams {
    /** streams.properties, topic, how many records. */
    public static void main(String[] given) throws Exception {
        int wanted = Integer.parseInt(given[2]);
        AtomicInteger folded = new AtomicInteger();
        long[] began = {0};
        CountDownLatch done = new CountDownLatch(1);
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(given[1], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .groupByKey(Grouped.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .aggregate(
                        () -> new byte[0],
                        (key, value, row) -> {
                            int number = folded.incrementAndGet();
                            if (number == wanted / 3) {
                                began[0] = System.nanoTime();
                            } else if (number == wanted) {
                                done.countDown();
                            }
                            return value;
                        },
                        Materialized.with(Serdes.ByteArray(), Serdes.ByteArray()));
        Properties properties = new Properties();
        try (FileReader reader = new FileReader(given[0])) {
            properties.load(reader);
        }
        var streams = new org.apache.kafka.streams.KafkaStreams(builder.build(), properties);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            System.exit(1);
            return null;
        });
        streams.start();
        done.await();
        streams.close(); // what is not committed yet is now
        System.out.println((wanted - wanted / 3) / ((System.nanoTime() - began[0]) / 1e9));
        System.exit(0);
    }
}
