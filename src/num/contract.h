/* Identity of the numeric contract: a hash over its rule text and its published test vectors. */
#ifndef IX_NUM_CONTRACT_H
#define IX_NUM_CONTRACT_H

#define IX_CONTRACT_NAME "inox-numerics-1"
/* 64 digits: SHA-256 over the rule text and the vectors (docs/NUMERICS.md, "Identity"). */
const char *ix_contract_identity(void);

#endif
