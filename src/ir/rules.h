/* The rules behind the columns of ops.def, as the builder, the verifier and the printer use them.
 *
 * A rule reads an operator with its arguments and attributes and says what the result is, or why
 * there is none.  Its messages name the tensors and both shapes, since shapes come from model
 * files.
 */
#ifndef IX_IR_RULES_H
#define IX_IR_RULES_H

#include "ir/graph.h"

/* Member of ix_attrs that an operator reads (column ATTRIBUTES). */
typedef enum ix_attr_kind {
    IX_ATTR_NONE,
    IX_ATTR_SCALAR,
    IX_ATTR_NORM,
    IX_ATTR_SHAPE, /* no member: the dimensions of the tensor itself */
    IX_ATTR_ROPE,
    IX_ATTR_CACHE,
    IX_ATTR_ATTENTION,
    IX_ATTR_LINEAR,
} ix_attr_kind;
ix_attr_kind ix_op_attr_kind(ix_op op);

typedef struct ix_shape {
    int32_t rank;
    ix_dim dims[IX_MAX_RANK];
} ix_shape;

/* Arity, attributes, shape and type of `t`, whose op, args, arg_count and attrs are set, and for
 * leaves and reshapes its own type and dims too.  Arguments must be valid tensors. */
inox_status ix_infer(const ix_tensor *t, ix_type *type, ix_shape *shape,
                     inox_error *err) IX_MUST_USE;

/* A symbol that exists, or a number from 1 to IX_MAX_DIM. */
bool ix_dim_is_valid(ix_dim d);
bool ix_same_shape(int32_t rank_a, const ix_dim *a, int32_t rank_b, const ix_dim *b);

/* "[tokens, 64]" */
#define IX_SHAPE_TEXT 128
void ix_shape_text(int32_t rank, const ix_dim *dims, char out[IX_SHAPE_TEXT]);
/* "'blk.0.attn_q.weight' Q8_0 [64, 128]", or "%12 = rope F32 [tokens, 4, 32]" */
#define IX_TENSOR_TEXT 448
void ix_tensor_text(const ix_tensor *t, char out[IX_TENSOR_TEXT]);
/* "eps=1e-05", "base=10000 factor=1 dims=64": what the attributes say; "" for none. */
#define IX_ATTRS_TEXT 192
void ix_attrs_text(const ix_tensor *t, char out[IX_ATTRS_TEXT]);
/* Layer of a weight "blk.<layer>.<rest>" or a state "cache.<layer>" (its rest: "cache"); for other
 * names -1, and rest is the whole name. */
int32_t ix_layer_of_name(const char *name, const char **rest);
/* Takes back what was appended behind `size` bytes: printing fails as if it had not begun. */
void ix_shorten(ix_buffer *b, size_t size);

#endif
