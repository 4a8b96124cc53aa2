/* A ring buffer of bytes: one writer, one reader, no locks, a power of two in size. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct ring {
    uint8_t *bytes;
    size_t mask;
    _Atomic size_t head; /* where the writer goes on */
    _Atomic size_t tail; /* where the reader goes on */
};

bool ring_init(struct ring *ring, size_t capacity)
{
    if (capacity == 0 || (capacity & (capacity - 1)) != 0)
        return false;
    ring->bytes = malloc(capacity);
    if (ring->bytes == NULL)
        return false;
    ring->mask = capacity - 1;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    return true;
}

/* Writes as many of the bytes as there is room for, and returns how many. */
size_t ring_write(struct ring *ring, const uint8_t *bytes, size_t count)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t room = ring->mask + 1 - (head - tail);

    if (count > room)
        count = room;
    for (size_t i = 0; i < count; i++)
        ring->bytes[(head + i) & ring->mask] = bytes[i];
    atomic_store_explicit(&ring->head, head + count, memory_order_release);
    return count;
}

bool ring_read(struct ring *ring, uint8_t *byte)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
        return false;
    *byte = ring->bytes[tail & ring->mask];
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

void ring_free(struct ring *ring)
{
    free(ring->bytes);
    ring->bytes = NULL;
}
