/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011).
 *
 *     counter words 0, 1: position    words 2, 3: stream    key words 0, 1: seed
 */
#include "base/random.h"

#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0 0x9E3779B9u /* golden ratio */
#define WEYL_1 0xBB67AE85u /* square root of three, minus one */
#define ROUNDS 10

uint64_t ix_random_u64(uint64_t seed, uint64_t stream, uint64_t position)
{
    uint32_t c[4] = { (uint32_t)position, (uint32_t)(position >> 32), (uint32_t)stream,
                      (uint32_t)(stream >> 32) };
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)MULTIPLIER_0 * c[0];
        uint64_t p1 = (uint64_t)MULTIPLIER_1 * c[2];

        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    return (uint64_t)c[1] << 32 | c[0];
}
