/* The identity of the numeric contract, computed when the library is built. */
#include "num/contract.h"

#include "num/contract_hash.h" /* generated: tools/contract_hash.py */

const char *ix_contract_identity(void)
{
    return IX_CONTRACT_IDENTITY;
}
