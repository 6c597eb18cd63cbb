/* Opening, describing and closing models; plans at first use. */
#include "llm/model.h"

#include "base/embedded.h"
#include "base/os.h"
#include "pass/pass.h"
#include "text/public.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_BATCH 512

/* ---- where a model is */

static bool has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* A path that exists is itself; else NAME or NAME.gguf in $XDG_DATA_HOME/inox/models. */
static inox_status resolve(const char *path, char **out, inox_error *err)
{
    char *directory = NULL;
    ix_buffer found = { 0 };
    inox_status status = INOX_OK;
    if (ix_path_exists(path) || strchr(path, '/') != NULL)
        return ix_strndup(path, strlen(path), out, err);
    IX_TRY(ix_user_directory("XDG_DATA_HOME", ".local/share", "inox/models", &directory, err));
    IX_TRY_GOTO(status, ix_buffer_printf(&found, err, "%s/%s", directory, path), done);
    if (!ix_path_exists(found.data) && !has_suffix(path, ".gguf"))
        IX_TRY_GOTO(status, ix_buffer_printf(&found, err, ".gguf"), done);
    if (ix_path_exists(found.data))
        status = ix_strndup(found.data, found.size, out, err);
    else
        status =
            ix_fail(err, INOX_E_NOT_FOUND,
                    "no model '%s': it is neither a file here nor in %s. 'inox list' shows the "
                    "models that are there",
                    path, directory);
done:
    ix_buffer_release(&found);
    ix_free(directory);
    return status;
}

static inox_status open_file(inox_model *m, const char *path, inox_error *err)
{
    if (path == NULL || (strcmp(path, "default") == 0 && !ix_path_exists(path))) {
        uint64_t size = (uint64_t)(ix_embedded_model_end - ix_embedded_model);
        if (size == 0)
            return ix_fail(err, INOX_E_NOT_FOUND,
                           "this build has no embedded model: give the path of a GGUF file");
        IX_TRY(ix_strndup("", 0, &m->path, err));
        return ix_gguf_open_memory(ix_embedded_model, size, &m->file, err);
    }
    IX_TRY(resolve(path, &m->path, err));
    IX_TRY(ix_path_absolute(m->path, &m->whole_path, err));
    if (ix_path_is_directory(m->path))
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "%s is a directory: give the path of a GGUF file in it", m->path);
    return ix_gguf_open(m->path, &m->file, err);
}

/* ---- what a model is */

static inox_status text_key(const inox_model *m, const char *key, const char *fallback, char **out,
                            inox_error *err)
{
    ix_gguf_string s;
    const ix_gguf_value *v = ix_gguf_find(m->file, key);
    if (v == NULL || v->type != IX_GGUF_STRING)
        return ix_strndup(fallback, strlen(fallback), out, err);
    IX_TRY(ix_gguf_get_string(m->file, key, &s, err));
    return ix_strndup(s.data, s.size < 256 ? s.size : 256, out, err);
}

/* The weight type that holds most parameters names the file: "Q8_0". */
static ix_type main_type(const inox_model *m)
{
    uint64_t by_type[IX_TYPE_COUNT] = { 0 };
    ix_type best = IX_TYPE_F32;
    for (size_t i = 0; i < ix_gguf_tensor_count(m->file); i++) {
        const ix_gguf_tensor *t = ix_gguf_tensor_at(m->file, i);
        by_type[t->type] += ix_gguf_tensor_elements(t);
        if (by_type[t->type] > by_type[best])
            best = t->type;
    }
    return best;
}

static inox_status describe(inox_model *m, inox_error *err)
{
    char text[128];
    const char *slash = strrchr(m->path, '/');
    IX_TRY(text_key(m, "general.name",
                    m->path[0] == '\0' ? "default"
                    : slash != NULL    ? slash + 1
                                       : m->path,
                    &m->name, err));
    IX_TRY(text_key(m, "general.architecture", "", &m->architecture_name, err));
    for (size_t i = 0; i < ix_gguf_tensor_count(m->file); i++) {
        const ix_gguf_tensor *t = ix_gguf_tensor_at(m->file, i);
        m->parameters += ix_gguf_tensor_elements(t);
        m->weight_bytes += t->bytes;
    }
    double millions = (double)m->parameters / 1e6;
    if (m->parameters == 0)
        snprintf(text, sizeof text, "%.32s vocabulary", m->architecture_name);
    else if (millions < 1000)
        snprintf(text, sizeof text, "%.32s %.1fM %s", m->architecture_name, millions,
                 ix_type_of(main_type(m))->name);
    else
        snprintf(text, sizeof text, "%.32s %.1fB %s", m->architecture_name, millions / 1000,
                 ix_type_of(main_type(m))->name);
    return ix_strndup(text, strlen(text), &m->description, err);
}

/* Reads the shape and builds the graph once: what is wrong with the weights shows at open, not at
 * the first word. */
static inox_status read_weights(inox_model *m, inox_error *err)
{
    ix_graph *graph;
    size_t n = strlen(m->architecture_name);
    if (m->parameters == 0)
        return ix_fail(err, INOX_E_UNSUPPORTED, "the file holds a vocabulary and no weights");
    const ix_architecture *arch = ix_architecture_find(m->architecture_name, n);
    if (arch == NULL)
        return ix_fail(err, INOX_E_UNSUPPORTED,
                       "architecture '%s' is not supported yet; supported: %s",
                       m->architecture_name, ix_architecture_names());
    IX_TRY(ix_llm_shape_read(m->file, arch, &m->shape, err));
    m->arch = arch;
    IX_TRY(ix_model_graph(m, INOX_CACHE_F16, &graph, err));
    ix_graph_free(graph);
    return INOX_OK;
}

/* Packed weights stand in memory; a model that does not fit is used where the mapping has it. */
static bool too_large_to_pack(const inox_model *m)
{
    uint64_t available = ix_available_memory_bytes(), most = m->options.memory_max;
    if (available > 0 && (most == 0 || available - available / 8 < most))
        most = available - available / 8;
    return most > 0 && m->weight_bytes > most;
}

static inox_status open_parts(inox_model *m, const char *path, inox_error *err)
{
    IX_TRY(open_file(m, path, err));
    IX_TRY(describe(m, err));
    if (ix_tokenizer_from_gguf(m->file, false, &m->tokenizer, &m->tokenizer_error) != INOX_OK &&
        m->tokenizer_error.code == INOX_E_MEMORY)
        return ix_fail(err, INOX_E_MEMORY, "%s", m->tokenizer_error.message);
    ix_give_back_memory();
    if (m->options.vocabulary_only)
        return INOX_OK;
    if (read_weights(m, &m->weights_error) != INOX_OK) {
        m->arch = NULL;
        if (m->weights_error.code == INOX_E_MEMORY)
            return ix_fail(err, INOX_E_MEMORY, "%s", m->weights_error.message);
        return INOX_OK;
    }
    m->from_file = too_large_to_pack(m);
    IX_TRY(ix_pool_new(m->options.threads, &m->pool, err));
    return m->options.pin ? ix_pool_pin(m->pool, err) : INOX_OK;
}

static inox_status take_options(inox_model *m, const inox_model_options *options, inox_error *err)
{
    m->options = (inox_model_options)INOX_MODEL_OPTIONS_INIT;
    if (options != NULL) {
        if (options->size != sizeof *options)
            return ix_fail(err, INOX_E_ARGUMENT,
                           "inox_model_options.size is %zu: use INOX_MODEL_OPTIONS_INIT",
                           options->size);
        m->options = *options;
    }
    if (m->options.threads < 0 || m->options.threads > IX_MAX_THREADS)
        return ix_fail(err, INOX_E_ARGUMENT, "%d threads: give 1 to %d, or 0 for all processors",
                       m->options.threads, IX_MAX_THREADS);
    if (m->options.max_batch < 0 || m->options.max_batch > 65536)
        return ix_fail(err, INOX_E_ARGUMENT, "a batch of %d rows: give 1 to 65536, or 0",
                       m->options.max_batch);
    if (m->options.max_batch == 0)
        m->options.max_batch = DEFAULT_BATCH;
    IX_TRY(ix_isa_choose(m->options.isa, &m->isa, err));
    m->options.isa = ix_isa_name(m->isa); /* the caller's string may go */
    return INOX_OK;
}

inox_status inox_model_open(const char *path, const inox_model_options *options, inox_model **out,
                            inox_error *err)
{
    inox_model *m;
    inox_status status;
    if (out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_model_open: out is NULL");
    *out = NULL;
    IX_TRY(IX_ALLOC(&m, 1, err));
    ix_fpenv environment = ix_fpenv_enter(); /* norms in other types are widened here */
    status = take_options(m, options, err);
    if (status == INOX_OK)
        status = open_parts(m, path, err);
    ix_fpenv_leave(environment);
    if (status != INOX_OK) {
        inox_model_close(m);
        return status;
    }
    *out = m;
    return INOX_OK;
}

static void free_variant(ix_variant *v)
{
    ix_backend_cpu.plan_free(v->plan);
    ix_graph_free(v->graph);
    ix_graph_free(v->plain);
    *v = (ix_variant){ 0 };
}

void inox_model_close(inox_model *m)
{
    if (m == NULL)
        return;
    for (int i = 1; i >= 0; i--) { /* the second may borrow from the first */
        free_variant(&m->variants[i]);
    }
    ix_pool_free(m->pool);
    ix_tokenizer_free(m->tokenizer);
    ix_gguf_close(m->file);
    ix_free(m->path);
    ix_free(m->whole_path);
    ix_free(m->name);
    ix_free(m->architecture_name);
    ix_free(m->description);
    ix_free(m);
}

bool ix_model_is_float(const inox_model *m)
{
    for (size_t i = 0; i < ix_gguf_tensor_count(m->file); i++) {
        if (ix_type_of(ix_gguf_tensor_at(m->file, i)->type)->block_elements > 1)
            return false;
    }
    return true;
}

/* ---- plans */

inox_status ix_model_graph(const inox_model *m, inox_cache_type cache, ix_graph **out,
                           inox_error *err)
{
    return ix_llm_graph(m->file, m->arch, &m->shape,
                        cache == INOX_CACHE_F32 ? IX_TYPE_F32 : IX_TYPE_F16, out, err);
}

static inox_status make_variant(inox_model *m, inox_cache_type cache, ix_variant *v,
                                inox_error *err)
{
    const ix_plan *share = m->variants[0].plan != NULL ? m->variants[0].plan : m->variants[1].plan;
    ix_plan_options options = { .pool = m->pool,
                                .isa = m->isa,
                                .share = share,
                                .file_layout = m->from_file,
                                .interleave = m->options.interleave,
                                .progress = m->options.progress,
                                .progress_context = m->options.progress_context };
    options.most.value[IX_TOKENS] = m->options.max_batch;
    options.most.value[IX_ROWS] = m->options.max_batch;
    options.most.value[IX_SEQUENCES] = m->options.max_batch;
    options.most.value[IX_SEQUENCE_PAGES] = IX_MAX_CONTEXT / 128;
    options.most.value[IX_CACHE_PAGES] = INT32_MAX;
    inox_status status = ix_model_graph(m, cache, &v->plain, err);
    if (status == INOX_OK)
        status = ix_pass_fuse(v->plain, &v->graph, err);
    if (status == INOX_OK)
        status = ix_backend_cpu.plan_new(v->graph, &options, &v->plan, err);
    if (status != INOX_OK)
        free_variant(v);
    return status;
}

inox_status ix_model_variant(inox_model *m, inox_cache_type cache, const ix_variant **out,
                             inox_error *err)
{
    ix_variant *v = &m->variants[cache == INOX_CACHE_F32];
    if (m->arch == NULL) {
        if (m->options.vocabulary_only)
            return ix_fail(err, INOX_E_ARGUMENT, "the model was opened for its vocabulary only");
        return ix_fail(err, m->weights_error.code, "%s%s%s", m->path,
                       m->path[0] == '\0' ? "" : ": ", m->weights_error.message);
    }
    if (v->plan == NULL)
        IX_TRY(make_variant(m, cache, v, err));
    *out = v;
    return INOX_OK;
}

inox_status ix_model_needs_tokenizer(const inox_model *m, inox_error *err)
{
    if (m->tokenizer != NULL)
        return INOX_OK;
    return ix_fail(err, m->tokenizer_error.code, "%s%s%s", m->path, m->path[0] == '\0' ? "" : ": ",
                   m->tokenizer_error.message);
}

inox_status inox_model_describe(const inox_model *m, inox_model_info *out, inox_error *err)
{
    if (m == NULL || out == NULL || out->size != sizeof *out)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_model_describe: initialise the info with INOX_MODEL_INFO_INIT");
    *out = (inox_model_info)INOX_MODEL_INFO_INIT;
    out->name = m->name;
    out->architecture = m->architecture_name;
    out->description = m->description;
    out->parameters = m->parameters;
    out->weight_bytes = m->weight_bytes;
    for (uint32_t i = 0; i < ix_gguf_file_count(m->file); i++)
        out->file_bytes += ix_gguf_file_at(m->file, i)->map.size;
    out->layers = (int32_t)m->shape.layers;
    out->width = (int32_t)m->shape.width;
    out->heads = (int32_t)m->shape.heads;
    out->kv_heads = (int32_t)m->shape.kv_heads;
    out->head_dim = (int32_t)m->shape.head_dim;
    out->vocabulary = m->tokenizer != NULL && m->arch == NULL
                          ? (int32_t)ix_tokenizer_count(m->tokenizer)
                          : (int32_t)m->shape.vocabulary;
    out->context = (int32_t)m->shape.context;
    out->threads = m->pool != NULL ? ix_pool_threads(m->pool) : 0;
    out->isa = ix_isa_name(m->isa);
    out->has_weights = m->arch != NULL;
    out->has_vocabulary = m->tokenizer != NULL;
    out->from_file = m->from_file;
    return INOX_OK;
}

/* ---- tokens */

inox_status inox_tokenizer_from_model(const inox_model *m, inox_tokenizer **out, inox_error *err)
{
    if (m == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenizer_from_model: a pointer is NULL");
    *out = NULL;
    IX_TRY(ix_model_needs_tokenizer(m, err));
    return ix_public_tokenizer(m->tokenizer, NULL, "gguf", NULL, NULL, out, err);
}

inox_status inox_template_from_model(const inox_model *m, const char *name, inox_template **out,
                                     inox_error *err)
{
    if (m == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_template_from_model: a pointer is NULL");
    *out = NULL;
    inox_status status = ix_template_from_gguf(m->file, name, out, err);
    if (status != INOX_OK && m->path[0] != '\0')
        status = ix_prefix(err, status, "%s", m->path);
    return status;
}

inox_status inox_tokenize(const inox_model *m, const char *text, size_t bytes, unsigned flags,
                          inox_tokens *out, inox_error *err)
{
    if (m == NULL || out == NULL || (text == NULL && bytes > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_tokenize: a pointer is NULL");
    *out = (inox_tokens){ 0 };
    IX_TRY(ix_model_needs_tokenizer(m, err));
    return ix_tokenizer_encode(m->tokenizer, text, bytes, flags, out, err);
}

inox_status inox_detokenize(const inox_model *m, const int32_t *ids, size_t count,
                            bool keep_special, char **text, size_t *bytes, inox_error *err)
{
    ix_buffer b = { 0 };
    if (m == NULL || text == NULL || (ids == NULL && count > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_detokenize: a pointer is NULL");
    *text = NULL;
    IX_TRY(ix_model_needs_tokenizer(m, err));
    inox_status status = ix_tokenizer_decode(m->tokenizer, ids, count,
                                             keep_special ? IX_DECODE_SPECIAL : 0u, &b, err);
    if (status == INOX_OK && b.data == NULL)
        status = ix_buffer_append(&b, "", 0, err);
    if (status != INOX_OK) {
        ix_buffer_release(&b);
        return status;
    }
    *text = b.data;
    if (bytes != NULL)
        *bytes = b.size;
    return INOX_OK;
}
