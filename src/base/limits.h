/* Upper bounds for everything that an outside party can choose.  A value beyond its bound is
 * INOX_E_LIMIT with the bound in the message, before any memory is taken for it. */
#ifndef IX_BASE_LIMITS_H
#define IX_BASE_LIMITS_H

#define IX_MAX_RANK 4                       /* dimensions of a tensor */
#define IX_MAX_DIM (1LL << 40)              /* one dimension */
#define IX_MAX_THREADS 256
#define IX_MAX_FILE_BYTES (1ULL << 44)
#define IX_MAX_GGUF_KEYS 65536
#define IX_MAX_GGUF_TENSORS 262144
#define IX_MAX_GGUF_ARRAY (1ULL << 28)      /* items of one metadata array */
#define IX_MAX_GGUF_STRING (1ULL << 26)     /* bytes of one metadata string (templates) */
#define IX_MAX_GGUF_NAME 65535              /* bytes of a key (GGUF specification) */
#define IX_MAX_TENSOR_NAME 255              /* bytes of a tensor's name */
#define IX_MAX_SPLITS 1024                  /* files of one split model */
#define IX_MAX_LAYERS 1024
#define IX_MAX_HEADS 4096
#define IX_MAX_HEAD_DIM 4096
#define IX_MAX_VOCAB (1 << 24)
#define IX_MAX_MERGED_PIECE 8192            /* bytes of a piece without a list of merges */
#define IX_MAX_TRIE_NODES (1 << 28)         /* of a vocabulary: bytes of its pieces */
#define IX_MAX_CONTEXT (1 << 24)            /* positions */
#define IX_MAX_TEXT_BYTES (1ULL << 31)      /* one text to tokenise */
#define IX_MAX_ENCODING (1ULL << 31)        /* tokens of one text, with padding */
#define IX_MAX_WINDOWS (1 << 20)            /* that truncation cuts off one text */
#define IX_MAX_GRAPH_NODES (1 << 20)
#define IX_MAX_COMPONENT_DEPTH 16           /* sequences in sequences in a tokenizer.json */
#define IX_MAX_DECODE_STAGES 64             /* of a decoder of a tokenizer.json */
#define IX_MAX_STOPS 64                     /* stop strings of one request */
#define IX_MAX_DRAFT 256                    /* guesses fed at once */
#define IX_MAX_RECEIPT_BYTES (64ULL << 20)
#define IX_MAX_REGEX_BYTES 65536            /* one regular expression */
#define IX_MAX_REGEX_DEPTH 100              /* groups inside groups */
#define IX_MAX_REGEX_QUANTIFIERS 8          /* behind one atom */
#define IX_MAX_REGEX_REPEAT 10000           /* n and m of {n,m} */
#define IX_MAX_REGEX_REPEATS 65536          /* all repetitions of single characters together */
#define IX_MAX_REGEX_PROGRAM 20000          /* instructions */
#define IX_MAX_REGEX_TABLES (64ULL << 20)   /* bytes for compiling one expression */
#define IX_MAX_REGEX_MEMORY (1ULL << 30)    /* bytes that searching one text may take */
#define IX_MAX_JSON_BYTES (1ULL << 30)
#define IX_MAX_TEMPLATE_BYTES (1ULL << 20)  /* source of a chat template */
#define IX_MAX_TEMPLATE_NESTING 100         /* blocks, or parts of an expression, in each other */
#define IX_MAX_TEMPLATE_STEPS 20000000ULL   /* of one rendering, unless told otherwise */
#define IX_MAX_TEMPLATE_MEMORY (1ULL << 28) /* bytes, likewise */
#define IX_MAX_TEMPLATE_OUTPUT (1ULL << 26) /* bytes, likewise */
#define IX_MAX_TEMPLATE_DEPTH 4000          /* nested evaluation: values, calls, statements */
#define IX_MAX_TEMPLATE_CALLS 250           /* macros in each other */
#define IX_MAX_JSON_NESTING 256             /* variables of a template */

#endif
