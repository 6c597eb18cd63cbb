/* Counter-based random numbers: the n-th number of a seed does not depend on those before it. */
#ifndef IX_BASE_RANDOM_H
#define IX_BASE_RANDOM_H

#include <stdint.h>

/* Philox4x32-10 (Salmon et al., SC 2011, Random123's published vectors), key = seed, counter =
 * (position, stream); the 64-bit result is words 1:0 of the block. */
uint64_t ix_random_u64(uint64_t seed, uint64_t stream, uint64_t position);

#endif
