/* front/gguf on files: split models, files made and read by gguf-py, the seeds of the fuzzer. */
#include "gguf_writer.h"

#include <inttypes.h>

/* ---- a directory for each test --------------------------------------------------------- */

typedef struct folder {
    char path[200];
    bool made;
} folder;

static folder make_folder(void)
{
    const char *root = ix_environment("TMPDIR");
    uint64_t number = 0;
    folder f = { { 0 }, false };

    if (ix_os_random(&number, sizeof number, NULL) != INOX_OK)
        return f;
    snprintf(f.path, sizeof f.path, "%.150s/inox-test-%016" PRIx64, root == NULL ? "/tmp" : root,
             number);
    f.made = ix_make_directories(f.path, NULL) == INOX_OK;
    return f;
}

static void remove_folder(const folder *f)
{
    char **names, path[600];
    size_t count;

    if (ix_list_directory(f->path, &names, &count, NULL) != INOX_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%.250s", f->path, names[i]);
        remove(path);
        ix_free(names[i]);
    }
    ix_free(names);
    remove(f->path);
}

static const char *in_folder(const folder *f, const char *name)
{
    static char path[600];

    snprintf(path, sizeof path, "%s/%s", f->path, name);
    return path;
}

/* ---- split models ---------------------------------------------------------------------- */

/* What one file of a split model says; the good model of three files says {i, 3, 3, "tensor.i"}. */
typedef struct part {
    uint64_t number, count, tensors;
    const char *name;
    bool without_total;
} part;

static const part GOOD[] = { { 0, 3, 3, "tensor.0", false },
                             { 1, 3, 3, "tensor.1", false },
                             { 2, 3, 3, "tensor.2", false } };

static void write_part(ix_test *t, const folder *f, const char *name, const part *p)
{
    static const uint64_t DIMS[] = { 4 };
    ix_buffer b = { 0 };
    inox_error err;

    put_header(&b, 3, 1, p->without_total ? 3 : 4);
    put_key(&b, "split.no", IX_GGUF_U16);
    put_number(&b, p->number, 2);
    put_key(&b, "split.count", IX_GGUF_U16);
    put_number(&b, p->count, 2);
    if (!p->without_total) {
        put_key(&b, "split.tensors.count", IX_GGUF_I32);
        put_u32(&b, p->tensors);
    }
    put_key_u32(&b, "x.file", (uint32_t)p->number);
    put_tensor(&b, p->name, 1, DIMS, 0, 0);
    pad(&b, 32);
    put_data(&b, 16);
    CHECK_OK(ix_file_write(in_folder(f, name), b.data, b.size, 0600, &err), &err);
    ix_buffer_release(&b);
}

static const char *const NAMES[] = { "m-00001-of-00003.gguf", "m-00002-of-00003.gguf",
                                     "m-00003-of-00003.gguf" };

static void write_good(ix_test *t, const folder *f)
{
    for (int i = 0; i < 3; i++)
        write_part(t, f, NAMES[i], &GOOD[i]);
}

TEST(gguf_split)
{
    folder f = make_folder();
    inox_error err;
    uint32_t number;
    ix_gguf *g;

    if (!f.made)
        SKIP("no temporary directory");
    write_good(t, &f);
    CHECK_OK(ix_gguf_open(in_folder(&f, NAMES[0]), &g, &err), &err);
    CHECK(ix_gguf_file_count(g) == 3 && ix_gguf_tensor_count(g) == 3);
    CHECK(ix_gguf_get_u32(g, "x.file", &number, &err) == INOX_OK && number == 0);
    for (uint32_t i = 0; i < 3; i++) {
        const ix_gguf_tensor *tensor = ix_gguf_find_tensor(g, GOOD[i].name);
        const ix_gguf_file *file = ix_gguf_file_at(g, i);

        CHECK(tensor != NULL && tensor->file == i);
        CHECK(tensor->data == file->map.data + tensor->offset && tensor->data[15] == 16);
        CHECK(tensor->offset == file->data_offset && file->tensor_count == 1);
        CHECK(strcmp(file->path, in_folder(&f, NAMES[i])) == 0);
    }
    ix_gguf_close(g);
    remove_folder(&f);
}

/* Opens `name` of the good model of which one file was replaced: the error has the code and both
 * words. */
static void check_split(ix_test *t, int replaced, const part *p, const char *name, inox_status code,
                        const char *word, const char *word2)
{
    folder f = make_folder();
    inox_error err = { 0 };
    ix_gguf *g = NULL;

    if (!f.made)
        SKIP("no temporary directory");
    write_good(t, &f);
    if (p != NULL)
        write_part(t, &f, NAMES[replaced], p);
    else
        remove(in_folder(&f, NAMES[replaced]));
    inox_status status = ix_gguf_open(in_folder(&f, name), &g, &err);
    CHECK_MSG(status == code && g == NULL, "%s: status %d (%s)", word, status, err.message);
    CHECK_MSG(strstr(err.message, word) != NULL && strstr(err.message, word2) != NULL,
              "'%s' or '%s' not in: %s", word, word2, err.message);
    ix_gguf_close(g);
    remove_folder(&f);
}

TEST(gguf_split_wrong)
{
    const char *first = NAMES[0];

    check_split(t, 2, NULL, first, INOX_E_NOT_FOUND, NAMES[2], "missing");
    check_split(t, 1, NULL, first, INOX_E_NOT_FOUND, NAMES[1], "file 2 of 3");
    check_split(t, 1, &GOOD[1], NAMES[1], INOX_E_ARGUMENT, "file 2 of 3", NAMES[0]);
    check_split(t, 1, &GOOD[2], first, INOX_E_FORMAT, NAMES[1], "split.no");
    check_split(t, 2, &(part){ 2, 4, 3, "tensor.2", false }, first, INOX_E_FORMAT, NAMES[2],
                "split.count");
    check_split(t, 2, &(part){ 2, 3, 5, "tensor.2", false }, first, INOX_E_FORMAT, NAMES[2],
                "split.tensors.count");
    check_split(t, 2, &(part){ 2, 3, 3, "tensor.2", true }, first, INOX_E_FORMAT, NAMES[2],
                "missing");
    check_split(t, 2, &(part){ 2, 3, 3, "tensor.0", false }, first, INOX_E_FORMAT, NAMES[2],
                NAMES[0]);
    check_split(t, 0, &(part){ 0, 2, 3, "tensor.0", false }, first, INOX_E_ARGUMENT, first,
                "-00001-of-00002.gguf");
    check_split(t, 0, &(part){ 0, 3, 4, "tensor.0", true }, first, INOX_E_FORMAT, NAMES[1],
                "split.tensors.count");
    check_split(t, 0, &(part){ 0, 2000, 3, "tensor.0", false }, first, INOX_E_LIMIT, first, "1024");
    check_split(t, 0, &(part){ 3, 3, 3, "tensor.0", false }, first, INOX_E_FORMAT, first,
                "split.no");
    check_split(t, 0, &(part){ 0, 1, 3, "tensor.0", false }, first, INOX_E_FORMAT, first,
                "split.tensors.count");
}

/* Two files, of which only the first has general.alignment: gguf-split pads the other by 32,
 * gguf-py by the first file's. */
TEST(gguf_split_alignment)
{
    static const uint64_t DIMS[] = { 1 };

    for (uint64_t step = 32; step <= 256; step += 224) {
        folder f = make_folder();
        inox_error err = { 0 };
        ix_gguf *g = NULL;

        if (!f.made)
            SKIP("no temporary directory");
        for (uint64_t i = 0; i < 2; i++) {
            uint64_t alignment = i == 0 ? 256 : step;
            ix_buffer b = { 0 };
            char name[32];

            put_header(&b, 3, 2, i == 0 ? 4 : 3);
            put_key_u32(&b, "split.no", (uint32_t)i);
            put_key_u32(&b, "split.count", 2);
            put_key_u32(&b, "split.tensors.count", 4);
            if (i == 0)
                put_key_u32(&b, "general.alignment", 256);
            put_tensor(&b, i == 0 ? "a" : "c", 1, DIMS, 0, 0);
            put_tensor(&b, i == 0 ? "b" : "d", 1, DIMS, 0, alignment);
            pad(&b, alignment);
            for (int k = 0; k < 2; k++) {
                put_data(&b, 4);
                pad(&b, alignment);
            }
            snprintf(name, sizeof name, "s-0000%" PRIu64 "-of-00002.gguf", i + 1);
            CHECK_OK(ix_file_write(in_folder(&f, name), b.data, b.size, 0600, &err), &err);
            ix_buffer_release(&b);
        }
        CHECK_OK(ix_gguf_open(in_folder(&f, "s-00001-of-00002.gguf"), &g, &err), &err);
        for (size_t i = 0; g != NULL && i < ix_gguf_tensor_count(g); i++)
            CHECK(memcmp(ix_gguf_tensor_at(g, i)->data, "\1\2\3\4", 4) == 0);
        CHECK(g != NULL && ix_gguf_file_at(g, 1)->alignment == step);
        ix_gguf_close(g);
        remove_folder(&f);
    }
}

/* A name that does not say which file it is. */
TEST(gguf_split_renamed)
{
    folder f = make_folder();
    inox_error err = { 0 };
    ix_gguf *g;

    if (!f.made)
        SKIP("no temporary directory");
    write_part(t, &f, "renamed.gguf", &GOOD[0]);
    CHECK(ix_gguf_open(in_folder(&f, "renamed.gguf"), &g, &err) == INOX_E_ARGUMENT);
    CHECK(strstr(err.message, "-00001-of-00003.gguf") != NULL);
    write_part(t, &f, "renamed.gguf", &GOOD[1]);
    CHECK(ix_gguf_open(in_folder(&f, "renamed.gguf"), &g, &err) == INOX_E_ARGUMENT);
    CHECK(strstr(err.message, "open the first one") != NULL);
    remove_folder(&f);
}

/* Any byte of the second header changed: an error about one of the files, or a model; no crash. */
TEST(gguf_split_change_every_byte)
{
    folder f = make_folder();
    uint64_t refused = 0;
    char *bytes;
    size_t size;

    if (!f.made)
        SKIP("no temporary directory");
    write_good(t, &f);
    if (ix_file_read(in_folder(&f, NAMES[1]), 4096, &bytes, &size, NULL) != INOX_OK)
        SKIP("no second file");
    for (size_t i = 0; i < size - 16; i++) {
        inox_error err = { 0 };
        ix_gguf *g = NULL;
        char old = bytes[i];

        bytes[i] = (char)(old ^ (i % 2 == 0 ? 0x01 : 0x80));
        CHECK_OK(ix_file_write(in_folder(&f, NAMES[1]), bytes, size, 0600, &err), &err);
        if (ix_gguf_open(in_folder(&f, NAMES[0]), &g, &err) == INOX_OK)
            CHECK(walk(g) > 0);
        else
            refused += strstr(err.message, "-of-00003.gguf") != NULL && err.position >= 0;
        ix_gguf_close(g);
        bytes[i] = old;
    }
    CHECK(refused > 50);
    ix_free(bytes);
    remove_folder(&f);
}

TEST(gguf_split_faults)
{
    folder f = make_folder();
    inox_status status = INOX_E_MEMORY;
    uint64_t n;

    if (!f.made)
        SKIP("no temporary directory");
    write_good(t, &f);
    for (n = 1; status != INOX_OK && n < 1000; n++) {
        inox_error err = { 0 };
        ix_gguf *g = NULL;

        ix_alloc_fail_at(n, n % 2 == 0);
        status = ix_gguf_open(in_folder(&f, NAMES[0]), &g, &err);
        ix_alloc_fail_at(0, 0);
        CHECK_MSG(status == INOX_OK || status == INOX_E_MEMORY, "%s", err.message);
        ix_gguf_close(g);
    }
    CHECK(status == INOX_OK && n > 10);
    remove_folder(&f);
}

/* ---- gguf-py --------------------------------------------------------------------------- */

/* FNV-1a over the parts that gguf_goldens.py lists. */
static void hash_bytes(uint64_t *h, const void *data, size_t n)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < n; i++)
        *h = (*h ^ bytes[i]) * 0x100000001b3u;
}

static void hash_number(uint64_t *h, uint64_t n)
{
    for (unsigned i = 0; i < 64; i += 8)
        *h = (*h ^ (uint8_t)(n >> i)) * 0x100000001b3u;
}

static void hash_text(uint64_t *h, const void *data, size_t n)
{
    hash_number(h, n);
    hash_bytes(h, data, n);
}

/* An item that cannot be read gives another hash. */
static void hash_item(uint64_t *h, const ix_gguf_value *v, uint64_t i)
{
    inox_status status;
    ix_gguf_string text = { 0 };
    uint64_t bits = 0;
    int64_t n = 0;
    double d = 0;

    if (v->item_type == IX_GGUF_STRING) {
        status = ix_gguf_item_string(v, i, &text, NULL);
        hash_text(h, text.data, text.size);
    } else if (v->item_type == IX_GGUF_F32 || v->item_type == IX_GGUF_F64) {
        status = ix_gguf_item_f64(v, i, &d, NULL);
        memcpy(&bits, &d, sizeof bits);
        hash_number(h, bits);
    } else if (v->item_type == IX_GGUF_U64) {
        status = ix_gguf_item_u64(v, i, &bits, NULL);
        hash_number(h, bits);
    } else {
        status = ix_gguf_item_i64(v, i, &n, NULL);
        hash_number(h, (uint64_t)n);
    }
    if (status != INOX_OK)
        hash_number(h, 1);
}

static uint64_t hash_metadata(const ix_gguf *g)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < ix_gguf_value_count(g); i++) {
        const ix_gguf_value *v = ix_gguf_value_at(g, i);

        hash_text(&h, v->key, v->key_size);
        hash_number(&h, (uint64_t)v->type);
        hash_number(&h, (uint64_t)v->item_type);
        hash_number(&h, v->count);
        for (uint64_t k = 0; k < v->count; k++)
            hash_item(&h, v, k);
    }
    return h;
}

static uint64_t hash_tensors(const ix_gguf *g)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < ix_gguf_tensor_count(g); i++) {
        const ix_gguf_tensor *tensor = ix_gguf_tensor_at(g, i);

        hash_text(&h, tensor->name, strlen(tensor->name));
        hash_number(&h, ix_type_of(tensor->type)->ggml_id);
        hash_number(&h, tensor->rank);
        for (uint32_t k = 0; k < tensor->rank; k++)
            hash_number(&h, tensor->dims[k]);
        hash_number(&h, tensor->bytes);
        hash_number(&h, tensor->offset);
        hash_number(&h, tensor->data[0]);
        hash_number(&h, tensor->data[tensor->bytes - 1]);
    }
    return h;
}

/* One "file" line; *g stays open for the lines behind it, NULL where the file is not there. */
static void check_file(ix_test *t, const char *line, ix_gguf **g)
{
    unsigned version, alignment;
    size_t keys, tensors;
    uint64_t offset, metadata_hash, tensors_hash;
    char name[256], local[300];
    const char *path;
    inox_error err;

    *g = NULL;
    if (sscanf(line, "file %255s %u %u %zu %zu %" SCNu64 " %" SCNx64 " %" SCNx64, name, &version,
               &alignment, &keys, &tensors, &offset, &metadata_hash, &tensors_hash) != 8) {
        CHECK_MSG(false, "bad line: %s", line);
        return;
    }
    if (strchr(name, '/') == NULL) {
        snprintf(local, sizeof local, "data/gguf/%s", name);
        path = ix_test_file(local);
    } else {
        snprintf(local, sizeof local, "data/%s", name);
        path = ix_test_shared(local);
    }
    if (path == NULL || !ix_path_exists(path))
        return;
    CHECK_OK(ix_gguf_open(path, g, &err), &err);
    if (*g == NULL)
        return;
    const ix_gguf_file *file = ix_gguf_file_at(*g, 0);
    CHECK_MSG(file->version == version && file->alignment == alignment, "%s", name);
    CHECK_MSG(ix_gguf_value_count(*g) == keys && ix_gguf_tensor_count(*g) == tensors, "%s", name);
    CHECK_MSG(tensors == 0 || file->data_offset == offset, "%s", name);
    CHECK_MSG(hash_metadata(*g) == metadata_hash, "%s: other metadata", name);
    CHECK_MSG(hash_tensors(*g) == tensors_hash, "%s: other tensors", name);
}

static void check_line(ix_test *t, const char *line, const ix_gguf *g)
{
    uint64_t dims[4] = { 1, 1, 1, 1 }, bytes, offset, count;
    char name[256], value[256];
    const ix_gguf_value *v;
    ix_gguf_string text;
    inox_error err;

    if (sscanf(line, "string %255s %255[^\n]", name, value) == 2) {
        CHECK_OK(ix_gguf_get_string(g, name, &text, &err), &err);
        CHECK_MSG(text.size == strlen(value) && memcmp(text.data, value, text.size) == 0, "%s",
                  name);
    } else if (sscanf(line, "count %255s %" SCNu64, name, &count) == 2) {
        CHECK_OK(ix_gguf_find_strings(g, name, &v, &err), &err);
        CHECK_MSG(v != NULL && v->count == count, "%s", name);
    } else if (sscanf(line, "tensor %255s %255s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                      " %" SCNu64 " %" SCNu64, name, value, &bytes, &offset, &dims[0], &dims[1],
                      &dims[2], &dims[3]) >= 5) {
        const ix_gguf_tensor *tensor = ix_gguf_find_tensor(g, name);

        CHECK_MSG(tensor != NULL && strcmp(ix_type_of(tensor->type)->name, value) == 0 &&
                  tensor->bytes == bytes && tensor->offset == offset &&
                  memcmp(tensor->dims, dims, sizeof dims) == 0, "%s", name);
    } else {
        CHECK_MSG(false, "bad line: %s", line);
    }
}

TEST(gguf_goldens)
{
    char *text, *line, *end;
    ix_gguf *g = NULL;
    inox_error err;
    size_t size;

    inox_status status = ix_file_read(ix_test_file("data/gguf/goldens.txt"), 1 << 20, &text, &size,
                                      &err);
    CHECK_OK(status, &err);
    if (status != INOX_OK)
        return;
    for (line = text; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        if (end == NULL)
            break;
        *end = '\0';
        if (strncmp(line, "file ", 5) == 0) {
            ix_gguf_close(g);
            check_file(t, line, &g);
        } else if (line[0] != '#' && g != NULL) {
            check_line(t, line, g);
        }
    }
    CHECK(t->checks > 10);
    ix_gguf_close(g);
    ix_free(text);
}

/* The same five tensors, written by gguf-py to one file and to three. */
TEST(gguf_split_by_gguf_py)
{
    ix_gguf *one = NULL, *three = NULL;
    inox_error err;

    CHECK_OK(ix_gguf_open(ix_test_file("data/gguf/small.gguf"), &one, &err), &err);
    CHECK_OK(ix_gguf_open(ix_test_file("data/gguf/split-00001-of-00003.gguf"), &three, &err), &err);
    if (one != NULL && three != NULL) {
        CHECK(ix_gguf_file_count(three) == 3 && ix_gguf_tensor_count(three) == 5);
        for (size_t i = 0; i < ix_gguf_tensor_count(one); i++) {
            const ix_gguf_tensor *a = ix_gguf_tensor_at(one, i);
            const ix_gguf_tensor *b = ix_gguf_find_tensor(three, a->name);

            CHECK(b != NULL && a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0);
        }
        CHECK(ix_gguf_has(three, "one.string"));
    }
    ix_gguf_close(one);
    ix_gguf_close(three);
}

/* ---- seeds ----------------------------------------------------------------------------- */

/* tools/make_gguf_seeds.py: good-* opens, everything else is refused with a word and a position. */
TEST(gguf_seeds)
{
    const char *folder_path = ix_test_file("../fuzz/corpus/gguf");
    size_t count = 0;
    char **names;

    if (ix_list_directory(folder_path, &names, &count, NULL) != INOX_OK)
        SKIP("no corpus");
    CHECK(count >= 50);
    for (size_t i = 0; i < count; i++) {
        inox_error err = { 0 };
        char path[1300];
        ix_gguf *g = NULL;

        snprintf(path, sizeof path, "%s/%s", folder_path, names[i]);
        inox_status status = ix_gguf_open(path, &g, &err);
        if (strncmp(names[i], "good-", 5) == 0) {
            CHECK_MSG(status == INOX_OK && walk(g) > 0, "%s: %s", names[i], err.message);
        } else {
            bool split = strcmp(names[i], "split-of-two.gguf") == 0; /* wrong is only its name */

            CHECK_MSG(status != INOX_OK, "%s was opened", names[i]);
            CHECK_MSG(strstr(err.message, names[i]) != NULL && (err.position >= 0 || split),
                      "%s: %s (at %lld)", names[i], err.message, (long long)err.position);
        }
        ix_gguf_close(g);
        ix_free(names[i]);
    }
    ix_free(names);
}
