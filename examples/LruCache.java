import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Keeps the values that were used last, up to a fixed number of them. */
public final class LruCache<K, V> {
    private final int capacity;
    private final Map<K, V> entries;
    private long hits;
    private long misses;

    public LruCache(int capacity) {
        if (capacity <= 0) {
            throw new IllegalArgumentException("capacity must be positive, not " + capacity);
        }
        this.capacity = capacity;
        this.entries = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > LruCache.this.capacity;
            }
        };
    }

    public synchronized Optional<V> get(K key) {
        V value = entries.get(key);
        if (value == null) {
            misses++;
        } else {
            hits++;
        }
        return Optional.ofNullable(value);
    }

    public synchronized V getOrCompute(K key, Function<? super K, ? extends V> compute) {
        return get(key).orElseGet(() -> {
            V computed = compute.apply(key);
            entries.put(key, computed);
            return computed;
        });
    }

    public synchronized double hitRate() {
        long total = hits + misses;
        return total == 0 ? 0.0 : (double) hits / total;
    }
}
