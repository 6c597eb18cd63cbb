/* inox list: models that can be named. */
#include "cli.h"

int cmd_list(const command *c, int argc, char **argv)
{
    common o = { 0 };
    const option options[] = { JSON_OPTION(o),
                               { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, NULL } };
    inox_error err = { 0 };
    char *text;
    int n = parse_options(c, options,
                          "Models are *.gguf files in $XDG_DATA_HOME/inox/models (by default "
                          "~/.local/share/inox/models).",
                          argc, argv);
    if (n < 0)
        return parse_exit(n);
    if (n > 0)
        return usage_error(c, "unexpected argument '%s'", argv[0]), EXIT_USAGE;
    if (inox_models_list(&text, &err) != INOX_OK)
        return fail(&o, &err);
    if (o.json) {
        printf("%s\n", text);
    } else {
        json_error_t e;
        size_t i;
        json_t *all = json_loads(text, 0, &e), *m;
        json_array_foreach(all, i, m)
        {
            const char *path = json_string_value(json_object_get(m, "path"));
            printf("%-32s %10.1f MB  %s\n", json_string_value(json_object_get(m, "name")),
                   (double)json_integer_value(json_object_get(m, "bytes")) / 1e6,
                   path[0] == '\0' ? "(built in)" : path);
        }
        json_decref(all);
    }
    inox_string_free(text);
    return 0;
}
