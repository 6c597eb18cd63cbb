/* WordLevel: a word is one token, or the unknown one. */
#include "text/model_parts.h"

inox_status ix_wordlevel_read(ix_model *m, const json_t *j, inox_error *err)
{
    ix_text_view unknown;
    IX_TRY(ix_model_read_string(j, "unk_token", false, &unknown, err));
    IX_TRY(ix_model_read_vocabulary(m, j, err));
    m->unknown = ix_vocabulary_find(&m->vocabulary, unknown.data, unknown.size);
    return INOX_OK;
}

inox_status ix_wordlevel_tokenize(const ix_model *m, const char *text, size_t start, size_t end,
                                  ix_token_list *out, inox_error *err)
{
    int32_t id = ix_vocabulary_find(&m->vocabulary, text + start, end - start);
    if (id < 0)
        id = m->unknown;
    if (id < 0)
        return ix_fail(err, INOX_E_FORMAT,
                       "a word is not in the vocabulary, and neither is the unknown token");
    return ix_token_list_add(out, id, start, end, err);
}
