/* The graph: rules of every operator, errors of the builder, the verifier against broken graphs,
 * and printing. */
#include "test.h"

#include "base/os.h"
#include "decoder.h"
#include "ir/graph.h"
#include "pass/pass.h"

/* ---- tensors to choose from ------------------------------------------------------------------ */

#define KIT_MAX 32

typedef struct kit {
    ix_graph *g;
    ix_tensor *tensors[KIT_MAX];
    int count;
} kit;

/* "x F32 tokens 8": an input; names that start with w are weights without data. */
static void kit_add(kit *k, const char *name, ix_type type, int rank, ix_dim a, ix_dim b, ix_dim c)
{
    ix_dim dims[3] = { a, b, c };

    k->tensors[k->count++] = name[0] == 'w' ? ix_weight(k->g, name, type, rank, dims, NULL, 0, NULL)
                                            : ix_input(k->g, name, type, rank, dims);
}

static kit kit_new(void)
{
    kit k = { 0 };
    ix_dim t = ix_sym(IX_TOKENS), r = ix_sym(IX_ROWS), none = ix_size(1);

    if (ix_graph_new(&k.g, NULL) != INOX_OK)
        return k;
    kit_add(&k, "x", IX_TYPE_F32, 2, t, ix_size(256), none);
    kit_add(&k, "y", IX_TYPE_F32, 2, t, ix_size(256), none);
    kit_add(&k, "half", IX_TYPE_F16, 2, t, ix_size(256), none);
    kit_add(&k, "rows_of_x", IX_TYPE_F32, 2, r, ix_size(256), none);
    kit_add(&k, "column", IX_TYPE_F32, 2, t, ix_size(1), none);
    kit_add(&k, "q", IX_TYPE_F32, 3, t, ix_size(4), ix_size(64));
    kit_add(&k, "q3", IX_TYPE_F32, 3, t, ix_size(3), ix_size(64));
    kit_add(&k, "k", IX_TYPE_F32, 3, t, ix_size(2), ix_size(64));
    kit_add(&k, "v", IX_TYPE_F32, 3, t, ix_size(2), ix_size(32));
    kit_add(&k, "ids", IX_TYPE_I32, 1, t, none, none);
    kit_add(&k, "rows", IX_TYPE_I32, 1, r, none, none);
    kit_add(&k, "pages", IX_TYPE_I32, 2, ix_sym(IX_SEQUENCES), ix_sym(IX_SEQUENCE_PAGES), none);
    kit_add(&k, "w", IX_TYPE_F32, 2, ix_size(16), ix_size(256), none);
    kit_add(&k, "wq", IX_TYPE_Q4_K, 2, ix_size(16), ix_size(256), none);
    kit_add(&k, "wi", IX_TYPE_I32, 2, ix_size(16), ix_size(256), none);
    kit_add(&k, "w_deep", IX_TYPE_F32, 2, ix_size(16), ix_size(255), none);
    kit_add(&k, "w256", IX_TYPE_F32, 1, ix_size(256), none, none);
    kit_add(&k, "w256h", IX_TYPE_F16, 1, ix_size(256), none, none);
    kit_add(&k, "w255", IX_TYPE_F32, 1, ix_size(255), none, none);
    kit_add(&k, "w16", IX_TYPE_F32, 1, ix_size(16), none, none);
    kit_add(&k, "w32", IX_TYPE_F32, 1, ix_size(32), none, none);
    kit_add(&k, "w4", IX_TYPE_F32, 1, ix_size(4), none, none);
    kit_add(&k, "residual", IX_TYPE_F32, 2, t, ix_size(16), none);
    k.tensors[k.count++] = ix_cache(k.g, "cache", IX_TYPE_F16, 2, 64, 32);
    return k;
}

static ix_tensor *kit_find(const kit *k, const char *name, size_t length)
{
    for (int i = 0; i < k->count; i++)
        if (strlen(k->tensors[i]->name) == length && memcmp(k->tensors[i]->name, name, length) == 0)
            return k->tensors[i];
    return NULL;
}

static int32_t kit_args(const kit *k, const char *names, ix_tensor *args[IX_MAX_ARGS])
{
    int32_t count = 0;

    while (*names != '\0' && count < IX_MAX_ARGS) {
        size_t length = strcspn(names, " ");
        args[count++] = kit_find(k, names, length);
        names += length + (names[length] == ' ');
    }
    return count;
}

/* ---- rules of every operator ----------------------------------------------------------------- */

typedef struct rule_case {
    ix_op op;
    const char *args;
    const char *says; /* accepted: "TYPE [shape]"; refused: a part of the message */
    bool accepted;
    int variant; /* of the attributes */
} rule_case;

static ix_attrs attrs_for(ix_op op, int variant)
{
    ix_attrs a;

    memset(&a, 0, sizeof a);
    switch (op) {
    case IX_OP_ADD_SCALAR:
    case IX_OP_MUL_SCALAR:
    case IX_OP_DIV_SCALAR: a.scalar.value = variant == 1 ? 1e38f * 1e38f : 2.0f; break;
    case IX_OP_RMS_NORM: a.norm.eps = variant == 1 ? -1e-5f : 1e-5f; break;
    case IX_OP_ROPE:
        a.rope.base = variant == 1 ? -1.0 : 10000.0;
        a.rope.factor = variant == 2 ? 0.0 : 1.0;
        a.rope.dims = variant == 3 ? 63 : variant == 4 ? 128 : 64;
        break;
    case IX_OP_CACHE_STORE:
        a.cache.kv_heads = variant == 1 ? 3 : 2;
        a.cache.head_dim = 64;
        a.cache.value_dim = 32;
        break;
    case IX_OP_ATTENTION:
        a.attention.scale = variant == 1 ? 1e300 * 1e300 : 0.125;
        a.attention.softcap = variant == 2 ? -1.0f : 0.0f;
        a.attention.window = variant == 3 ? -1 : 7;
        a.attention.kv_heads = 2;
        a.attention.head_dim = 64;
        a.attention.value_dim = variant == 4 ? 64 : 32;
        break;
    case IX_OP_LINEAR:
        a.linear.bias = variant == 1 || variant == 3;
        a.linear.residual = variant == 2 || variant == 3;
        break;
    default: break;
    }
    return a;
}

#define ELEMENTWISE_2(op)                                                                          \
    { op, "x y", "F32 [tokens, 256]", true, 0 }, { op, "x w256", "F32 [tokens, 256]", true, 0 },   \
        { op, "x column", "F32 [tokens, 256]", true, 0 },                                          \
        { op, "q w32", "counted from the last", false, 0 },                                        \
        { op, "w256 x", "counted from the last", false, 0 },                                       \
        { op, "x rows_of_x", "'rows_of_x'", false, 0 },                                            \
        { op, "x w256h", "must be of type F32", false, 0 },                                        \
    {                                                                                              \
        op, "x cache", "a cache can only", false, 0                                                \
    }
#define ELEMENTWISE_1(op)                                                                          \
    { op, "x", "F32 [tokens, 256]", true, 0 }, { op, "q", "F32 [tokens, 4, 64]", true, 0 },        \
        { op, "half", "must be of type F32", false, 0 },                                           \
    {                                                                                              \
        op, "cache", "a cache can only", false, 0                                                  \
    }

static const rule_case RULES[] = {
    ELEMENTWISE_2(IX_OP_ADD),
    ELEMENTWISE_2(IX_OP_SUB),
    ELEMENTWISE_2(IX_OP_MUL),
    ELEMENTWISE_2(IX_OP_DIV),
    ELEMENTWISE_1(IX_OP_ADD_SCALAR),
    ELEMENTWISE_1(IX_OP_MUL_SCALAR),
    ELEMENTWISE_1(IX_OP_DIV_SCALAR),
    ELEMENTWISE_1(IX_OP_NEG),
    ELEMENTWISE_1(IX_OP_RECIP),
    ELEMENTWISE_1(IX_OP_SQRT),
    ELEMENTWISE_1(IX_OP_EXP),
    ELEMENTWISE_1(IX_OP_TANH),
    ELEMENTWISE_1(IX_OP_ERF),
    ELEMENTWISE_1(IX_OP_SILU),
    { IX_OP_ADD_SCALAR, "x", "not finite", false, 1 },
    { IX_OP_MUL_SCALAR, "x", "not finite", false, 1 },
    { IX_OP_DIV_SCALAR, "x", "not finite", false, 1 },
    { IX_OP_SUM, "x", "F32 [tokens, 1]", true, 0 },
    { IX_OP_SUM, "half", "must be of type F32", false, 0 },
    { IX_OP_SUM_SQUARES, "q", "F32 [tokens, 4, 1]", true, 0 },
    { IX_OP_SUM_SQUARES, "ids", "must be of type F32", false, 0 },
    { IX_OP_GATHER, "wq ids", "F32 [tokens, 256]", true, 0 },
    { IX_OP_GATHER, "x rows", "F32 [rows, 256]", true, 0 },
    { IX_OP_GATHER, "q rows", "F32 [rows, 4, 64]", true, 0 },
    { IX_OP_GATHER, "w256 ids", "the table must be", false, 0 },
    { IX_OP_GATHER, "w x", "must be of type I32", false, 0 },
    { IX_OP_GATHER, "w pages", "must be a vector", false, 0 },
    { IX_OP_MATMUL, "x w", "F32 [tokens, 16]", true, 0 },
    { IX_OP_MATMUL, "x wq", "F32 [tokens, 16]", true, 0 },
    { IX_OP_MATMUL, "w256 w", "F32 [16]", true, 0 },
    { IX_OP_MATMUL, "x w_deep", "'w_deep' F32 [16, 255]", false, 0 },
    { IX_OP_MATMUL, "x w256", "must be a matrix", false, 0 },
    { IX_OP_MATMUL, "x y", "must be a matrix", false, 0 },
    { IX_OP_MATMUL, "x wi", "can be multiplied", false, 0 },
    { IX_OP_MATMUL, "half w", "must be of type F32", false, 0 },
    { IX_OP_ROPE, "q ids", "F32 [tokens, 4, 64]", true, 0 },
    { IX_OP_ROPE, "q ids w32", "F32 [tokens, 4, 64]", true, 0 },
    { IX_OP_ROPE, "q ids w16", "one frequency factor per rotated pair", false, 0 },
    { IX_OP_ROPE, "q ids x", "must be a weight", false, 0 },
    { IX_OP_ROPE, "x ids", "must be [tokens, heads, head_dim]", false, 0 },
    { IX_OP_ROPE, "q rows", "one position per row", false, 0 },
    { IX_OP_ROPE, "q x", "must be of type I32", false, 0 },
    { IX_OP_ROPE, "q ids", "base -1", false, 1 },
    { IX_OP_ROPE, "q ids", "factor 0", false, 2 },
    { IX_OP_ROPE, "q ids", "63 rotated dimensions", false, 3 },
    { IX_OP_ROPE, "q ids", "128 dimensions cannot be rotated in heads of 64", false, 4 },
    { IX_OP_CACHE_STORE, "cache k v ids ids pages", "F16 [cache_pages, 2, 96, 128]", true, 0 },
    { IX_OP_CACHE_STORE, "cache k v ids ids pages", "must be those of the cache", false, 1 },
    { IX_OP_CACHE_STORE, "x k v ids ids pages", "must be a state", false, 0 },
    { IX_OP_CACHE_STORE, "cache v v ids ids pages", "k must be", false, 0 },
    { IX_OP_CACHE_STORE, "cache k k ids ids pages", "v must be", false, 0 },
    { IX_OP_CACHE_STORE, "cache k v rows ids pages", "one position and one sequence per row", false,
      0 },
    { IX_OP_CACHE_STORE, "cache k v ids ids ids", "the page table must be", false, 0 },
    { IX_OP_CACHE_STORE, "cache k v ids w4 pages", "must be of type I32", false, 0 },
    { IX_OP_ATTENTION, "q cache ids ids pages", "F32 [tokens, 4, 32]", true, 0 },
    { IX_OP_ATTENTION, "q cache ids ids pages w4", "F32 [tokens, 4, 32]", true, 0 },
    { IX_OP_ATTENTION, "q cache ids ids pages w16", "one sink per head", false, 0 },
    { IX_OP_ATTENTION, "q3 cache ids ids pages", "must be a multiple", false, 0 },
    { IX_OP_ATTENTION, "v cache ids ids pages", "q must be", false, 0 },
    { IX_OP_ATTENTION, "q k ids ids pages", "must be a state", false, 0 },
    { IX_OP_ATTENTION, "q cache ids rows pages", "one position and one sequence per row", false,
      0 },
    { IX_OP_ATTENTION, "q cache ids ids pages", "not a finite float32", false, 1 },
    { IX_OP_ATTENTION, "q cache ids ids pages", "softcap -1", false, 2 },
    { IX_OP_ATTENTION, "q cache ids ids pages", "window -1", false, 3 },
    { IX_OP_ATTENTION, "q cache ids ids pages", "must be those of the cache", false, 4 },
    { IX_OP_RMS_NORM, "x w256", "F32 [tokens, 256]", true, 0 },
    { IX_OP_RMS_NORM, "x", "F32 [tokens, 256]", true, 0 },
    { IX_OP_RMS_NORM, "x w255", "one element per element", false, 0 },
    { IX_OP_RMS_NORM, "x w256h", "must be of type F32", false, 0 },
    { IX_OP_RMS_NORM, "x w256", "epsilon", false, 1 },
    { IX_OP_SWIGLU, "x y", "F32 [tokens, 256]", true, 0 },
    { IX_OP_SWIGLU, "x w256", "the same shape", false, 0 },
    { IX_OP_LINEAR, "x w", "F32 [tokens, 16]", true, 0 },
    { IX_OP_LINEAR, "x wq w16", "F32 [tokens, 16]", true, 1 },
    { IX_OP_LINEAR, "x w residual", "F32 [tokens, 16]", true, 2 },
    { IX_OP_LINEAR, "x w w16 residual", "F32 [tokens, 16]", true, 3 },
    { IX_OP_LINEAR, "x w w16", "do not agree", false, 0 },
    { IX_OP_LINEAR, "x w residual", "the bias must have", false, 1 },
    { IX_OP_LINEAR, "x w x", "the residual must have", false, 2 },
    { IX_OP_LINEAR, "x w_deep w16", "last dimensions", false, 1 },
    { IX_OP_LINEAR, "x w half", "must be of type F32", false, 2 },
};

static void check_rule(ix_test *t, const rule_case *c)
{
    kit k = kit_new();
    ix_tensor *args[IX_MAX_ARGS] = { NULL };
    int32_t count = kit_args(&k, c->args, args), before = k.g->count;
    ix_attrs attrs = attrs_for(c->op, c->variant);
    const char *op = ix_op_of(c->op)->name;
    ix_tensor *made = ix_emit(k.g, c->op, count, args, &attrs);
    ix_buffer text = { 0 };
    inox_error err = { 0 };

    CHECK_MSG((made != NULL) == c->accepted, "%s(%s): %s", op, c->args, k.g->error.message);
    if (made == NULL) {
        CHECK_MSG(strstr(k.g->error.message, c->says) != NULL, "%s(%s): %s", op, c->args,
                  k.g->error.message);
        CHECK_MSG(strncmp(k.g->error.message, op, strlen(op)) == 0, "%s: %s", op,
                  k.g->error.message);
        CHECK(k.g->error.code == INOX_E_FORMAT || k.g->error.code == INOX_E_INTERNAL);
        CHECK(k.g->count == before);
        /* the first error stays, and nothing is made behind it */
        CHECK(ix_emit(k.g, IX_OP_NEG, 1, &k.tensors[0], NULL) == NULL && k.g->count == before);
        CHECK(ix_graph_finish(k.g, k.tensors[0], &err) == k.g->error.code);
    } else {
        /* a small graph that ends there is verified and printed with what the rule says */
        k.g->output = k.tensors[0];
        CHECK_OK(ix_graph_print(k.g, &text, &err), &err);
        CHECK_MSG(text.data != NULL && strstr(strrchr(text.data, '%'), c->says) != NULL,
                  "%s(%s): %s", op, c->args, text.data);
    }
    ix_buffer_release(&text);
    ix_graph_free(k.g);
}

TEST(ir_rules_of_every_operator)
{
    int accepted[IX_OP_COUNT] = { 0 }, refused[IX_OP_COUNT] = { 0 };

    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        check_rule(t, &RULES[i]);
        (RULES[i].accepted ? accepted : refused)[RULES[i].op]++;
    }
    for (int op = IX_OP_STATE + 1; op < IX_OP_COUNT; op++)
        if (op != IX_OP_RESHAPE)
            CHECK_MSG(accepted[op] > 0 && refused[op] > 0, "no case for %s",
                      ix_op_of((ix_op)op)->name);
}

TEST(ir_arity_of_every_operator)
{
    for (int op = 0; op < IX_OP_COUNT; op++) {
        const ix_op_info *info = ix_op_of((ix_op)op);
        CHECK_MSG(info->name[0] != '\0' && info->meaning[0] != '\0', "operator %d", op);
        CHECK(info->least_args >= 0 && info->least_args <= info->most_args &&
              info->most_args <= IX_MAX_ARGS);
        CHECK(info->fused == (op >= IX_OP_RMS_NORM));
        for (int32_t n = 0; n <= IX_MAX_ARGS; n++) {
            if (n >= info->least_args && n <= info->most_args)
                continue;
            kit k = kit_new();
            ix_tensor *args[IX_MAX_ARGS];
            ix_attrs attrs = attrs_for((ix_op)op, 0);
            for (int i = 0; i < IX_MAX_ARGS; i++)
                args[i] = k.tensors[0];
            CHECK_MSG(ix_emit(k.g, (ix_op)op, n, args, &attrs) == NULL, "%s takes %d arguments",
                      info->name, n);
            CHECK(k.g->error.code == INOX_E_INTERNAL);
            ix_graph_free(k.g);
        }
    }
}

/* ---- leaves and reshapes --------------------------------------------------------------------- */

static void check_refused(ix_test *t, const ix_graph *g, const ix_tensor *made, inox_status code,
                          const char *says)
{
    CHECK_MSG(made == NULL, "accepted, but: %s", says);
    CHECK_MSG(g->error.code == code, "%s: %d", says, (int)g->error.code);
    CHECK_MSG(strstr(g->error.message, says) != NULL, "%s: %s", says, g->error.message);
}

static void check_leaf(ix_test *t, ix_type type, int32_t rank, int64_t a, int64_t b,
                       inox_status code, const char *says)
{
    kit k = kit_new();
    ix_dim dims[8] = { { a }, { b }, { 1 }, { 1 }, { 1 } };
    ix_tensor *made = ix_weight(k.g, "leaf", type, rank, dims, NULL, 0, NULL);

    if (code == INOX_OK)
        CHECK_MSG(made != NULL, "%s", k.g->error.message);
    else
        check_refused(t, k.g, made, code, says);
    ix_graph_free(k.g);
}

TEST(ir_leaves)
{
    check_leaf(t, IX_TYPE_F32, 2, 3, 5, INOX_OK, "");
    check_leaf(t, IX_TYPE_Q8_0, 2, 3, 64, INOX_OK, "");
    check_leaf(t, IX_TYPE_Q8_0, 2, 3, 48, INOX_E_FORMAT, "not whole blocks");
    check_leaf(t, IX_TYPE_F32, 2, 3, 0, INOX_E_FORMAT, "number from 1 to 2^40");
    check_leaf(t, IX_TYPE_F32, 2, 3, -77, INOX_E_FORMAT, "number from 1 to 2^40");
    check_leaf(t, IX_TYPE_F32, 2, 3, INT64_MIN, INOX_E_FORMAT, "number from 1 to 2^40");
    check_leaf(t, IX_TYPE_F32, 2, IX_MAX_DIM + 1, 3, INOX_E_FORMAT, "number from 1 to 2^40");
    check_leaf(t, IX_TYPE_F32, 2, IX_MAX_DIM, IX_MAX_DIM, INOX_E_FORMAT, "more than 2^63 elements");
    check_leaf(t, IX_TYPE_F64, 2, IX_MAX_DIM, 1 << 22, INOX_E_LIMIT, "2^64 bytes");
    check_leaf(t, IX_TYPE_F32, 2, ix_sym(IX_TOKENS).value, 3, INOX_E_FORMAT, "fixed size");
    check_leaf(t, IX_TYPE_F32, 0, 3, 3, INOX_E_LIMIT, "0 dimensions");
    check_leaf(t, IX_TYPE_F32, 5, 3, 3, INOX_E_LIMIT, "5 dimensions");
    check_leaf(t, (ix_type)IX_TYPE_COUNT, 2, 3, 3, INOX_E_INTERNAL, "unknown type");

    kit k = kit_new();
    ix_dim dim = ix_size(8);
    char name[IX_MAX_TENSOR_NAME + 2];
    memset(name, 'n', sizeof name);
    name[IX_MAX_TENSOR_NAME] = '\0';
    CHECK(ix_input(k.g, name, IX_TYPE_F32, 1, &dim) != NULL);
    name[IX_MAX_TENSOR_NAME] = 'n';
    name[IX_MAX_TENSOR_NAME + 1] = '\0';
    check_refused(t, k.g, ix_input(k.g, name, IX_TYPE_F32, 1, &dim), INOX_E_LIMIT, "256 bytes");
    ix_graph_free(k.g);
    k = kit_new();
    check_refused(t, k.g, ix_input(k.g, "", IX_TYPE_F32, 1, &dim), INOX_E_INTERNAL, "no name");
    ix_graph_free(k.g);
    k = kit_new();
    check_refused(t, k.g, ix_weight(k.g, "short", IX_TYPE_F32, 1, &dim, name, 31, NULL),
                  INOX_E_FORMAT, "'short' F32 [8] needs 32 bytes, but has 31");
    ix_graph_free(k.g);
}

TEST(ir_caches)
{
    static const int64_t bad[][3] = {
        { 0, 64, 64 },
        { 2, -1, 64 },
        { 2, 64, INT64_MAX },
        { 2, INT64_MAX, INT64_MAX },
        { IX_MAX_HEADS + 1, 8, 8 },
    };
    kit k = kit_new();

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_refused(t, k.g, ix_cache(k.g, "c", IX_TYPE_F16, bad[i][0], bad[i][1], bad[i][2]),
                      INOX_E_FORMAT, "c");
        ix_graph_free(k.g);
        k = kit_new();
    }
    check_refused(t, k.g, ix_cache(k.g, "c", IX_TYPE_Q8_0, 2, 64, 64), INOX_E_FORMAT, "F16 or F32");
    ix_graph_free(k.g);
}

static void check_reshape(ix_test *t, const char *from, int32_t rank, ix_dim a, ix_dim b, ix_dim c,
                          const char *says)
{
    kit k = kit_new();
    ix_dim dims[3] = { a, b, c };
    ix_tensor *made = ix_reshape(k.g, kit_find(&k, from, strlen(from)), rank, dims);

    if (says == NULL)
        CHECK_MSG(made != NULL && made->rank == rank &&
                      memcmp(made->dims, dims, (size_t)rank * sizeof *dims) == 0,
                  "%s", k.g->error.message);
    else
        check_refused(t, k.g, made, rank <= IX_MAX_RANK ? INOX_E_FORMAT : INOX_E_LIMIT, says);
    ix_graph_free(k.g);
}

TEST(ir_reshape)
{
    ix_dim tokens = ix_sym(IX_TOKENS), rows = ix_sym(IX_ROWS);

    check_reshape(t, "x", 3, tokens, ix_size(4), ix_size(64), NULL);
    check_reshape(t, "q", 2, tokens, ix_size(256), ix_size(1), NULL);
    check_reshape(t, "x", 2, ix_size(256), tokens, ix_size(1), NULL);
    check_reshape(t, "wq", 1, ix_size(16 * 256), ix_size(1), ix_size(1), NULL);
    check_reshape(t, "wq", 2, ix_size(32), ix_size(128), ix_size(1), "not whole blocks");
    check_reshape(t, "x", 2, tokens, ix_size(255), ix_size(1),
                  "'x' F32 [tokens, 256] cannot become [tokens, 255]");
    check_reshape(t, "x", 2, rows, ix_size(256), ix_size(1), "symbols must agree");
    check_reshape(t, "x", 3, tokens, tokens, ix_size(256), "symbols must agree");
    check_reshape(t, "x", 1, ix_size(256), tokens, tokens, "symbols must agree");
    check_reshape(t, "x", 2, tokens, (ix_dim){ -99 }, tokens, "known symbol");
    check_reshape(t, "x", 5, tokens, tokens, tokens, "5 dimensions");
    check_reshape(t, "cache", 1, ix_sym(IX_CACHE_PAGES), tokens, tokens, "a cache can only");
}

/* ---- finishing and the verifier -------------------------------------------------------------- */

TEST(ir_outputs)
{
    inox_error err = { 0 };
    kit k = kit_new(), other = kit_new();

    CHECK(ix_graph_finish(k.g, NULL, &err) == INOX_E_INTERNAL &&
          strstr(err.message, "no output") != NULL);
    CHECK(ix_graph_finish(k.g, kit_find(&k, "ids", 3), &err) == INOX_E_INTERNAL);
    CHECK(ix_graph_finish(k.g, kit_find(&k, "cache", 5), &err) == INOX_E_INTERNAL);
    CHECK(ix_graph_finish(k.g, other.tensors[0], &err) == INOX_E_INTERNAL);
    CHECK_OK(ix_graph_finish(k.g, k.tensors[0], &err), &err);
    CHECK(ix_graph_finish(k.g, NULL, NULL) == INOX_E_INTERNAL);
    CHECK(ix_add(k.g, k.tensors[0], other.tensors[1]) == NULL);
    CHECK(strstr(k.g->error.message, "argument 2 is of another graph") != NULL);
    CHECK(ix_add(other.g, other.tensors[0], NULL) == NULL);
    CHECK(strstr(other.g->error.message, "argument 2 is missing") != NULL);
    ix_graph_free(k.g);
    ix_graph_free(other.g);
    ix_graph_free(NULL);
}

TEST(ir_cache_has_one_version)
{
    inox_error err = { 0 };
    kit k = kit_new();
    ix_step_inputs step = { .positions = kit_find(&k, "ids", 3),
                            .sequence = kit_find(&k, "ids", 3),
                            .pages = kit_find(&k, "pages", 5) };
    ix_tensor *cache = kit_find(&k, "cache", 5), *q = kit_find(&k, "q", 1);

    ix_tensor *before = ix_attention(k.g, q, cache, &step, NULL, 0.125, 0, 0);
    ix_tensor *stored =
        ix_cache_store(k.g, cache, kit_find(&k, "k", 1), kit_find(&k, "v", 1), &step);
    ix_tensor *good = ix_attention(k.g, q, stored, &step, NULL, 0.125, 0, 0);
    CHECK_OK(ix_graph_finish(k.g, ix_add(k.g, before, good), &err), &err);
    ix_tensor *bad = ix_attention(k.g, q, cache, &step, NULL, 0.125, 0, 0);
    CHECK(ix_graph_finish(k.g, bad, &err) == INOX_E_INTERNAL);
    CHECK_MSG(strstr(err.message, "was stored into before") != NULL, "%s", err.message);
    ix_graph_free(k.g);
}

/* Breaks one field of a random tensor, or of the graph. */
static void corrupt(ix_graph *g, ix_tensor *x, uint64_t *random)
{
    uint64_t r = ix_test_random(random);
    int32_t at = (int32_t)(r >> 32) & 0x7fff;
    uint8_t *attrs = (uint8_t *)&x->attrs;
    static const int64_t odd[] = { 0, 1, -1, -3, -6, 7, 64, 1LL << 41, INT64_MAX, INT64_MIN };
    int64_t value = odd[(r >> 16) % (sizeof odd / sizeof *odd)];

    switch (r % 12) {
    case 0: x->op = (ix_op)(at % (IX_OP_COUNT + 3)); break;
    case 1: x->type = (ix_type)(at % (IX_TYPE_COUNT + 3)); break;
    case 2: x->rank = (int32_t)value; break;
    case 3: x->dims[at % IX_MAX_RANK].value = value; break;
    case 4: x->args[at % IX_MAX_ARGS] = NULL; break;
    case 5: x->args[at % IX_MAX_ARGS] = g->tensors[at % g->count]; break;
    case 6: x->args[at % IX_MAX_ARGS] = (ix_tensor *)(uintptr_t)ix_test_random(random); break;
    case 7: x->arg_count = (int32_t)value; break;
    case 8: attrs[at % (int)sizeof x->attrs] ^= (uint8_t)(1 + (r >> 48) % 255); break;
    case 9: x->name = at % 2 == 0 ? NULL : ""; break;
    case 10: x->id = (int32_t)value; break;
    default: g->output = at % 2 == 0 ? NULL : (ix_tensor *)(uintptr_t)ix_test_random(random); break;
    }
}

TEST(ir_verifier_survives_corruption)
{
    static const ix_decoder_shape shape = { 2,
                                            256,
                                            4,
                                            2,
                                            64,
                                            256,
                                            40,
                                            IX_TYPE_Q4_K,
                                            IX_TYPE_F16,
                                            .bias = true,
                                            .head_norms = true,
                                            .factors = true,
                                            .sinks = true };
    inox_error err = { 0 };
    ix_decoder d;
    ix_graph *fused = NULL;
    uint64_t random = 42;
    int refused = 0, rounds = 6000;

    CHECK_OK(ix_decoder_make(&shape, 5, &d, &err), &err);
    CHECK_OK(ix_pass_fuse(d.graph, &fused, &err), &err);
    for (int i = 0; i < rounds && fused != NULL; i++) {
        ix_graph *g = i % 2 == 0 ? d.graph : fused;
        ix_graph before = *g;
        ix_tensor *x = g->tensors[ix_test_random(&random) % (uint64_t)g->count], saved = *x;
        ix_buffer text = { 0 };
        ix_graph *again = NULL;
        corrupt(g, x, &random);
        err.code = INOX_OK;
        inox_status status = ix_graph_verify(g, &err);
        CHECK(status == err.code);
        refused += status != INOX_OK;
        if (i % 16 == 0) { /* what reads a graph refuses and accepts the same ones */
            CHECK(ix_graph_print(g, &text, NULL) == status);
            CHECK((ix_pass_fuse(g, &again, NULL) == INOX_OK) == (again != NULL));
        }
        ix_buffer_release(&text);
        ix_graph_free(again);
        *x = saved;
        *g = before;
    }
    CHECK_MSG(refused > rounds / 2, "%d of %d refused", refused, rounds);
    CHECK_OK(ix_graph_verify(d.graph, &err), &err);
    ix_graph_free(fused);
    ix_decoder_release(&d);
}

/* ---- printing -------------------------------------------------------------------------------- */

static ix_graph *small_graph(inox_error *err)
{
    static const float w[8] = { 0 };
    ix_graph *g = NULL;
    ix_dim row[2] = { ix_sym(IX_TOKENS), ix_size(4) }, matrix[2] = { ix_size(2), ix_size(4) };
    ix_dim heads[3] = { ix_sym(IX_TOKENS), ix_size(1), ix_size(2) };

    if (ix_graph_new(&g, err) != INOX_OK)
        return NULL;
    ix_step_inputs step = ix_step_inputs_of(g);
    ix_tensor *x = ix_input(g, "x'\\\n<&\">\xc3\xa4", IX_TYPE_F32, 2, row);
    ix_tensor *y =
        ix_matmul(g, x, ix_weight(g, "blk.0.w", IX_TYPE_F32, 2, matrix, w, sizeof w, NULL));
    y = ix_scalar(g, IX_OP_MUL_SCALAR, y, 0.1f);
    y = ix_reshape(g, y, 3, heads);
    y = ix_rope(g, y, step.positions, NULL, 500000.0, 1.0, 2, true);
    ix_tensor *cache =
        ix_cache_store(g, ix_cache(g, "blk.0.cache", IX_TYPE_F16, 1, 2, 2), y, y, &step);
    y = ix_attention(g, y, cache, &step, NULL, 0.5, 30.0f, 4096);
    if (ix_graph_finish(g, y, err) == INOX_OK)
        return g;
    ix_graph_free(g);
    return NULL;
}

static const char SMALL_GRAPH_TEXT[] =
    "graph: 6 inputs, 1 state, 1 weight, 6 operators, output %13\n"
    "%0 = input 'tokens' I32 [tokens]\n"
    "%1 = input 'positions' I32 [tokens]\n"
    "%2 = input 'sequence' I32 [tokens]\n"
    "%3 = input 'pages' I32 [sequences, sequence_pages]\n"
    "%4 = input 'rows' I32 [rows]\n"
    "%5 = input 'x\\x27\\x5c\\x0a<&\">\\xc3\\xa4' F32 [tokens, 4]\n"
    "%6 = weight 'blk.0.w' F32 [2, 4]\n"
    "%7 = matmul('x\\x27\\x5c\\x0a<&\">\\xc3\\xa4', 'blk.0.w') F32 [tokens, 2]\n"
    "%8 = mul_scalar(%7) s=0.1 F32 [tokens, 2]\n"
    "%9 = reshape(%8) F32 [tokens, 1, 2]\n"
    "%10 = rope(%9, 'positions') base=500000 factor=1 dims=2 interleaved F32 [tokens, 1, 2]\n"
    "%11 = state 'blk.0.cache' kv_heads=1 head_dim=2 value_dim=2 F16 [cache_pages, 1, 4, 128]\n"
    "%12 = cache_store('blk.0.cache', %10, %10, 'positions', 'sequence', 'pages') kv_heads=1 "
    "head_dim=2 value_dim=2 "
    "F16 [cache_pages, 1, 4, 128]\n"
    "%13 = attention(%10, %12, 'positions', 'sequence', 'pages') scale=0.5 softcap=30 window=4096 "
    "F32 [tokens, 1, 2]\n";

TEST(ir_print)
{
    inox_error err = { 0 };
    ix_graph *g = small_graph(&err);
    ix_buffer text = { 0 };

    CHECK_MSG(g != NULL, "%s", err.message);
    if (g == NULL)
        return;
    CHECK_OK(ix_buffer_printf(&text, &err, "before\n"), &err);
    CHECK_OK(ix_graph_print(g, &text, &err), &err);
    CHECK_MSG(text.size == sizeof SMALL_GRAPH_TEXT - 1 + 7 &&
                  strcmp(text.data + 7, SMALL_GRAPH_TEXT) == 0,
              "%s", text.data);
    ix_buffer_release(&text);
    ix_graph_free(g);
}

/* Enough of XML for what the printer writes: tags nest, attributes are quoted, text holds no
 * markup. */
static bool is_well_formed(const char *p)
{
    char open[16][16];
    int depth = 0, roots = 0;

    for (; *p != '\0'; p++) {
        if (*p == '&') {
            size_t n = strspn(p + 1, "#abcdefghijklmnopqrstuvwxyz0123456789");
            if (n == 0 || p[1 + n] != ';')
                return false;
        }
        if ((unsigned char)*p >= 0x7f || ((unsigned char)*p < 0x20 && *p != '\n') || *p == '>')
            return false;
        if (*p != '<')
            continue;
        bool closing = p[1] == '/';
        const char *name = p + 1 + closing, *q = name;
        size_t n = strcspn(name, " />\n");
        for (bool quoted = false; *q != '\0' && (quoted || *q != '>'); q++) {
            quoted = *q == '"' ? !quoted : quoted;
            if (*q == '<')
                return false;
        }
        if (*q != '>' || n == 0 || n >= sizeof open[0])
            return false;
        if (closing &&
            (depth == 0 || strlen(open[depth - 1]) != n || memcmp(open[depth - 1], name, n) != 0))
            return false;
        if (closing) {
            depth--;
        } else if (q[-1] != '/') {
            if (depth == 16)
                return false;
            roots += depth == 0;
            snprintf(open[depth++], sizeof open[0], "%.*s", (int)n, name);
        }
        p = q;
    }
    return depth == 0 && roots == 1;
}

static int count_of(const char *text, const char *part)
{
    int n = 0;

    for (const char *p = strstr(text, part); p != NULL; p = strstr(p + 1, part))
        n++;
    return n;
}

TEST(ir_svg_is_well_formed)
{
    inox_error err = { 0 };
    ix_graph *g = small_graph(&err);
    ix_buffer svg = { 0 };

    CHECK(is_well_formed("<a b=\"c\"><d/>e&amp;</a>") && !is_well_formed("<a><b></a></b>"));
    CHECK(!is_well_formed("<a>&</a>") && !is_well_formed("<a/><a>") &&
          !is_well_formed("<a>\x01</a>"));
    if (g == NULL)
        return;
    CHECK_OK(ix_graph_print_svg(g, &svg, &err), &err);
    CHECK(is_well_formed(svg.data));
    CHECK(strstr(svg.data, "x&#39;\\?&lt;&amp;&quot;&gt;?? F32 [tokens, 4]") != NULL);
    ix_buffer_release(&svg);
    /* an input alone */
    g->output = g->tensors[5];
    g->count = 6;
    CHECK_OK(ix_graph_print_svg(g, &svg, &err), &err);
    CHECK(is_well_formed(svg.data));
    ix_buffer_release(&svg);
    ix_graph_free(g);
}

TEST(ir_svg_draws_equal_blocks_once)
{
    static const ix_decoder_shape shape = {
        8, 64, 4, 2, 16, 64, 40, IX_TYPE_Q8_0, IX_TYPE_F16, .head_norms = true
    };
    inox_error err = { 0 };
    ix_decoder d;
    ix_graph *fused = NULL;

    CHECK_OK(ix_decoder_make(&shape, 5, &d, &err), &err);
    CHECK_OK(ix_pass_fuse(d.graph, &fused, &err), &err);
    for (int i = 0; i < 2 && fused != NULL; i++) {
        ix_buffer svg = { 0 };
        CHECK_OK(ix_graph_print_svg(i == 0 ? d.graph : fused, &svg, &err), &err);
        CHECK(svg.data != NULL && is_well_formed(svg.data));
        CHECK(count_of(svg.data, ">blk.0 .. blk.7<") == 1 && count_of(svg.data, ">x 8<") == 1);
        CHECK(count_of(svg.data, ">attention<") == 1);
        CHECK(count_of(svg.data, ">attn_q.weight Q8_0 [64, 64]<") == 1);
        CHECK(count_of(svg.data, ">gather<") == 2);
        ix_buffer_release(&svg);
    }
    /* one block is not like the others */
    for (int32_t i = 0; fused != NULL && i < fused->count; i++)
        if (fused->tensors[i]->op == IX_OP_ATTENTION && i > fused->count / 2) {
            fused->tensors[i]->attrs.attention.window = 5;
            break;
        }
    ix_buffer svg = { 0 };
    CHECK_OK(ix_graph_print_svg(fused, &svg, &err), &err);
    CHECK(count_of(svg.data, ">attention<") == 3 && count_of(svg.data, ">window=5") == 0);
    CHECK(count_of(svg.data, ">scale=0.25 window=5<") == 1);
    ix_buffer_release(&svg);
    ix_graph_free(fused);
    ix_decoder_release(&d);
}

TEST(ir_svg_refuses_what_nobody_can_read)
{
    inox_error err = { 0 };
    ix_graph *g = NULL;
    ix_dim row[2] = { ix_sym(IX_TOKENS), ix_size(4) };
    ix_buffer svg = { 0 };

    CHECK_OK(ix_graph_new(&g, &err), &err);
    ix_tensor *x = ix_input(g, "x", IX_TYPE_F32, 2, row), *y = x;
    for (int i = 0; i < 5000; i++)
        y = ix_add(g, y, x);
    CHECK_OK(ix_graph_finish(g, y, &err), &err);
    CHECK_OK(ix_buffer_printf(&svg, &err, "kept"), &err);
    CHECK(ix_graph_print_svg(g, &svg, &err) == INOX_E_LIMIT);
    CHECK(svg.size == 4 && strcmp(svg.data, "kept") == 0);
    ix_buffer_release(&svg);
    ix_graph_free(g);
}

TEST(ir_survives_allocation_failures)
{
    for (int what = 0; what < 3; what++) {
        inox_status status = INOX_E_MEMORY;
        for (uint64_t n = 1; status != INOX_OK && n < 2000; n++) {
            inox_error err = { 0 };
            ix_buffer out = { 0 };
            ix_graph *g = what == 0 ? NULL : small_graph(NULL);
            ix_alloc_fail_at(n, n % 2 == 0);
            if (what == 0) {
                g = small_graph(&err);
                status = g != NULL ? INOX_OK : err.code;
            } else {
                status =
                    what == 1 ? ix_graph_print(g, &out, &err) : ix_graph_print_svg(g, &out, &err);
            }
            ix_alloc_fail_at(0, 0);
            CHECK(status == INOX_OK ||
                  (status == INOX_E_MEMORY && err.code == INOX_E_MEMORY && out.size == 0));
            ix_buffer_release(&out);
            ix_graph_free(g);
        }
        CHECK(status == INOX_OK);
    }
}

/* ---- the page of the documentation ----------------------------------------------------------- */

TEST(ir_operators_page_is_current)
{
    inox_error err = { 0 };
    char *page = NULL;
    size_t size = 0;
    char line[512];

    CHECK_OK(ix_file_read(ix_test_file("../docs/OPERATORS.md"), 1 << 20, &page, &size, &err), &err);
    if (page == NULL)
        return;
#define IX_OP(name, text, least, most, attributes, shape, type, gradient, meaning)                 \
    snprintf(line, sizeof line, "| `%s` | %d%s%.0d | %s | %s | %s | %s | %s |\n", text, least,     \
             least == most ? "" : " to ", least == most ? 0 : most, #attributes, #shape, #type,    \
             #gradient, meaning);                                                                  \
    CHECK_MSG(strstr(page, line) != NULL, "run tools/make_operators_page.py: not there: %s", line);
#include "ir/ops.def"
#undef IX_OP
    CHECK(count_of(page, "\n| `") == IX_OP_COUNT);
    ix_free(page);
}
