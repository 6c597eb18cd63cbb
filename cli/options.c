/* Options from tables: parsing and help. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int usage_error(const command *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "inox %s: ", c->name);
    vfprintf(stderr, format, list);
    fprintf(stderr, "\nusage: inox %s\n'inox %s --help' lists the options.\n", c->usage, c->name);
    va_end(list);
    return -1;
}

int parse_exit(int parsed)
{
    return parsed == -2 ? EXIT_FINE : EXIT_USAGE;
}

void free_texts(option_texts *t)
{
    free(t->items);
    *t = (option_texts){ 0 };
}

static void print_help(const command *c, const option *options, const char *notes)
{
    printf("usage: inox %s\n\n%s\n\noptions:\n", c->usage, c->help);
    for (const option *o = options; o->name != NULL; o++) {
        char left[64], letter[8] = "    ";
        if (o->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value == NULL ? "" : " ",
                 o->value == NULL ? "" : o->value);
        printf("  %-30s %s\n", left, o->help);
    }
    printf("  -h, --help                     this text\n");
    if (notes != NULL)
        printf("\n%s\n", notes);
}

static int add_text(option_texts *t, const char *value)
{
    const char **items = realloc(t->items, (t->count + 1) * sizeof *items);
    if (items == NULL)
        return -1;
    t->items = items;
    t->items[t->count++] = value;
    return 0;
}

static int bad_value(const command *c, const option *o, const char *value, const char *kind)
{
    return usage_error(c, "--%s needs %s, not '%s'", o->name, kind, value);
}

static int set_value(const command *c, const option *o, const char *value)
{
    char *end;
    errno = 0;
    switch (o->kind) {
    case OPTION_TEXT: *(const char **)o->out = value; break;
    case OPTION_TEXTS:
        if (add_text(o->out, value) != 0)
            return usage_error(c, "no memory");
        break;
    case OPTION_INT:
        *(int64_t *)o->out = strtoll(value, &end, 10);
        if (end == value || *end != '\0' || errno != 0)
            return bad_value(c, o, value, "a whole number");
        break;
    case OPTION_U64:
        *(uint64_t *)o->out = strtoull(value, &end, 10);
        if (end == value || *end != '\0' || errno != 0 || strchr(value, '-') != NULL)
            return bad_value(c, o, value, "a whole number from 0 to 2^64 - 1");
        break;
    case OPTION_FLOAT:
        *(double *)o->out = strtod(value, &end);
        if (end == value || *end != '\0')
            return bad_value(c, o, value, "a number");
        break;
    case OPTION_CACHE:
        if (strcmp(value, "f16") != 0 && strcmp(value, "f32") != 0)
            return bad_value(c, o, value, "f16 or f32");
        *(inox_cache_type *)o->out = value[1] == '3' ? INOX_CACHE_F32 : INOX_CACHE_F16;
        break;
    case OPTION_FLAG: break;
    }
    return 0;
}

static const option *find_option(const option *options, const char *argument,
                                 const char **inline_value)
{
    *inline_value = NULL;
    for (const option *o = options; o->name != NULL; o++) {
        size_t n = strlen(o->name);
        if (argument[1] != '-') {
            if (o->letter != 0 && argument[1] == o->letter) {
                *inline_value = argument[2] != '\0' ? argument + 2 : NULL; /* -n5 */
                return o;
            }
        } else if (strncmp(argument + 2, o->name, n) == 0 &&
                   (argument[2 + n] == '\0' || argument[2 + n] == '=')) {
            *inline_value = argument[2 + n] == '=' ? argument + 3 + n : NULL;
            return o;
        }
    }
    return NULL;
}

int parse_options(const command *c, const option *options, const char *notes, int argc, char **argv)
{
    int positional = 0;
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        char *a = argv[i];
        const char *value;
        if (ended || a[0] != '-' || a[1] == '\0') {
            argv[positional++] = a;
            continue;
        }
        if (strcmp(a, "--") == 0) {
            ended = true;
            continue;
        }
        if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
            print_help(c, options, notes);
            return -2;
        }
        const option *o = find_option(options, a, &value);
        if (o == NULL)
            return usage_error(c, "unknown option '%s'", a);
        if (o->given != NULL)
            *o->given = true;
        if (o->kind == OPTION_FLAG) {
            if (value != NULL)
                return usage_error(c, "--%s takes no value", o->name);
            *(bool *)o->out = true;
            continue;
        }
        if (value == NULL && ++i >= argc)
            return usage_error(c, "%s needs a value", a);
        if (set_value(c, o, value != NULL ? value : argv[i]) != 0)
            return -1;
    }
    return positional;
}
