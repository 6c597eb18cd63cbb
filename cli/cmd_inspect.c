/* inox inspect: what is in a model file. */
#include "cli.h"

#include <errno.h>
#include <string.h>

static int write_text(const common *c, const char *path, const char *text)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    bool good = f != NULL && fputs(text, f) >= 0;
    if (f != NULL && f != stdout && fclose(f) != 0)
        good = false;
    return good ? 0 : fail_text(c, EXIT_IO, "%s: %s", path, strerror(errno));
}

static int show(const common *c, inox_model *model, const char *what, const char *path)
{
    inox_error err;
    char *text;
    if (inox_model_inspect(model, what, &text, &err) != INOX_OK)
        return fail(c, &err);
    int code = write_text(c, path, text);
    inox_string_free(text);
    return code;
}

int cmd_inspect(const command *c, int argc, char **argv)
{
    common o = { 0 };
    bool metadata = false, tensors = false, graph = false, identity = false;
    const char *svg = NULL;
    const option options[] = {
        { "metadata", 0, OPTION_FLAG, &metadata, NULL,
          "all keys and values (long arrays shortened)", NULL },
        { "tensors", 0, OPTION_FLAG, &tensors, NULL, "name, type, bytes and shape of every tensor",
          NULL },
        { "graph", 0, OPTION_FLAG, &graph, NULL, "the graph of primitive operators, as text",
          NULL },
        { "svg", 0, OPTION_TEXT, &svg, "FILE", "the graph as a picture ('-': standard output)",
          NULL },
        { "identity", 0, OPTION_FLAG, &identity, NULL, "the SHA-256 identity that receipts name",
          NULL },
        COMMON_OPTIONS(o),
        { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL },
    };
    inox_error err = { 0 };
    inox_model *model;
    char digest[65];
    int n = parse_options(
        c, options,
        "Without options: a summary. With --json: summary, metadata and tensors as one object.",
        argc, argv);
    if (n < 0)
        return parse_exit(n);
    if (n > 1)
        return usage_error(c, "one MODEL at a time"), EXIT_USAGE;
    o.threads = 1; /* nothing is computed */
    if (open_model(&o, n == 1 ? argv[0] : NULL, false, 0, &model, &err) != INOX_OK)
        return fail(&o, &err);
    int code = 0;
    if (o.json && !identity) {
        code = show(&o, model, "json", "-");
        printf("\n");
    } else if (!o.json && !metadata && !tensors && !graph && svg == NULL && !identity) {
        code = show(&o, model, "summary", "-");
    }
    if (code == 0 && !o.json && metadata)
        code = show(&o, model, "metadata", "-");
    if (code == 0 && !o.json && tensors)
        code = show(&o, model, "tensors", "-");
    if (code == 0 && !o.json && graph)
        code = show(&o, model, "graph", "-");
    if (code == 0 && svg != NULL)
        code = show(&o, model, "graph.svg", svg);
    if (code == 0 && identity) {
        if (inox_model_identity(model, digest, &err) != INOX_OK)
            code = fail(&o, &err);
        else if (o.json)
            code = print_json(&o, json_pack("{s:s}", "identity", digest));
        else
            printf("%s\n", digest);
    }
    inox_model_close(model);
    return code;
}
