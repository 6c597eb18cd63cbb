/* What the JSON schemas of the tools say about the types of their arguments, for syntaxes that do
 * not tell a string from a number.  A value that reads as one of its schema's types has that type;
 * else it is a string.
 *
 * The schemas are a caller's, the values a model's: what cannot be found, or nests too deep, says
 * nothing, and the value is what it reads as.
 */
#include "text/answer/format.h"

#include <string.h>

enum {
    STRING = 1,
    INTEGER = 2,
    NUMBER = 4,
    BOOLEAN = 8,
    NULL_TYPE = 16,
    ARRAY = 32,
    OBJECT = 64,
    SCHEMA_DEPTH_MAX = 16,
    SCHEMAS_MAX = 1000 /* looked at for one argument: they may refer to each other many times */
};

inox_status ix_answer_tools(ix_text_view text, json_t **out, inox_error *err)
{
    json_error_t e;

    /* Numbers are not looked at: those that fit no integer are no mistake. */
    *out = json_loadb(text.data, text.size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &e);
    if (!*out)
        return ix_fail(err, INOX_E_FORMAT, "the tools are no JSON: line %d, column %d: %s", e.line,
                       e.column, e.text);
    if (json_is_array(*out))
        return INOX_OK;
    json_decref(*out);
    *out = NULL;
    return ix_fail(err, INOX_E_FORMAT, "the tools are no JSON list, as templates take them");
}

/* ---- schemas --------------------------------------------------------------------------------- */

static unsigned type_named(const json_t *name)
{
    static const struct {
        const char *name;
        unsigned type;
    } types[] = { { "string", STRING },   { "integer", INTEGER }, { "number", NUMBER | INTEGER },
                  { "boolean", BOOLEAN }, { "null", NULL_TYPE },  { "array", ARRAY },
                  { "object", OBJECT } };
    for (size_t i = 0; json_is_string(name) && i < sizeof types / sizeof *types; i++)
        if (strcmp(json_string_value(name), types[i].name) == 0)
            return types[i].type;
    return 0;
}

static unsigned type_of_value(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return OBJECT;
    case JSON_ARRAY: return ARRAY;
    case JSON_STRING: return STRING;
    case JSON_INTEGER:
    case JSON_REAL: return NUMBER | INTEGER;
    case JSON_TRUE:
    case JSON_FALSE: return BOOLEAN;
    case JSON_NULL: break;
    }
    return NULL_TYPE;
}

/* What "#/$defs/name" stands for. */
static const json_t *referred(const json_t *root, const char *path)
{
    char step[100];

    if (*path++ != '#')
        return NULL;
    while (root && *path == '/') {
        size_t n = strcspn(++path, "/");
        if (n >= sizeof step)
            return NULL;
        memcpy(step, path, n);
        step[n] = '\0';
        root = json_object_get(root, step);
        path += n;
    }
    return *path == '\0' ? root : NULL;
}

typedef struct search {
    const json_t *root; /* what "#" in references stands for */
    int left;           /* schemas to look at */
} search;

/* Keys of lists of schemas, any or all of which hold. */
static const char *const CHOICES[] = { "anyOf", "oneOf", "allOf" };
enum { CHOICE_KEYS = sizeof CHOICES / sizeof *CHOICES };

static unsigned types_of(search *s, const json_t *schema, int depth);

/* The types of several schemas together; 0 where one of them says nothing. */
static unsigned types_of_any(search *s, const json_t *list, int depth)
{
    unsigned types = 0;
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        unsigned some = types_of(s, one, depth + 1);
        if (some == 0)
            return 0;
        types |= some;
    }
    return types;
}

/* The types that a schema allows; 0: it does not say. */
static unsigned types_of(search *s, const json_t *schema, int depth)
{
    const json_t *type = json_object_get(schema, "type"), *values = json_object_get(schema, "enum");
    const json_t *value = json_object_get(schema, "const"), *ref = json_object_get(schema, "$ref");
    unsigned types = type_named(type);
    size_t i;
    json_t *one;

    if (depth > SCHEMA_DEPTH_MAX || s->left-- <= 0)
        return 0;
    json_array_foreach(type, i, one) types |= type_named(one);
    if (types == 0 && value)
        types = type_of_value(value);
    if (types == 0)
        json_array_foreach(values, i, one) types |= type_of_value(one);
    for (i = 0; types == 0 && i < CHOICE_KEYS; i++)
        types = types_of_any(s, json_object_get(schema, CHOICES[i]), depth);
    if (types == 0 && json_is_string(ref))
        types = types_of(s, referred(s->root, json_string_value(ref)), depth + 1);
    if (types != 0 && json_is_true(json_object_get(schema, "nullable")))
        types |= NULL_TYPE;
    return types;
}

/* The parameters of the tool of that name, or NULL. */
static const json_t *parameters_of(const json_t *tools, ix_text_view name)
{
    size_t i;
    json_t *tool;
    json_array_foreach(tools, i, tool)
    {
        const json_t *function = json_object_get(tool, "function");
        function = function ? function : tool;
        const json_t *own = json_object_get(function, "name");
        if (json_is_string(own) && json_string_length(own) == name.size &&
            memcmp(json_string_value(own), name.data, name.size) == 0)
            return json_object_get(function, "parameters");
    }
    return NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The type that a value reads as, 0 if it is no JSON (nor a word of Python).  *word: how JSON
 * writes it, where that is not how it stands; else NULL. */
static unsigned reads_as(ix_text_view v, const char **word)
{
    *word = ix_answer_python_word(v);
    if (*word)
        return ix_text_is(v, "None") ? NULL_TYPE : BOOLEAN;
    json_t *value = json_loadb(v.data, v.size,
                               JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    unsigned type = value ? type_of_value(value) : 0;
    if (type == (NUMBER | INTEGER))
        type = memchr(v.data, '.', v.size) || memchr(v.data, 'e', v.size) ||
                       memchr(v.data, 'E', v.size)
                   ? NUMBER
                   : INTEGER;
    json_decref(value);
    return type;
}

/* What a schema that only refers to another one stands for. */
static const json_t *resolved(argument_schema s)
{
    const json_t *ref;
    for (int i = 0; i < SCHEMA_DEPTH_MAX; i++) {
        ref = json_object_get(s.schema, "$ref");
        if (!json_is_string(ref))
            break;
        s.schema = referred(s.root, json_string_value(ref));
    }
    return s.schema;
}

argument_schema ix_answer_schema(const json_t *tools, ix_text_view name, ix_text_view key)
{
    const json_t *parameters = parameters_of(tools, name);
    const json_t *properties = json_object_get(parameters, "properties");
    return (argument_schema){ parameters, json_object_getn(properties, key.data, key.size) };
}

/* The schema of member `key` of an object or of the items of a list, its choices left out. */
static const json_t *directly_within(const json_t *schema, ix_text_view key)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *found = json_object_getn(properties, key.data, key.size);
    return found ? found : json_object_get(schema, "items");
}

argument_schema ix_answer_schema_within(argument_schema s, ix_text_view key)
{
    const json_t *schema = resolved(s), *found = directly_within(schema, key);
    json_t *one;
    size_t i;
    for (size_t c = 0; c < CHOICE_KEYS && !found; c++) {
        json_array_foreach(json_object_get(schema, CHOICES[c]), i, one)
        {
            if (!found)
                found = directly_within(resolved((argument_schema){ s.root, one }), key);
        }
    }
    return (argument_schema){ s.root, found };
}

bool ix_answer_is_text(argument_schema s)
{
    search within = { s.root, SCHEMAS_MAX };
    return types_of(&within, s.schema, 0) == STRING;
}

argument_type ix_answer_typed(argument_schema schema, ix_text_view value, ix_text_view *json)
{
    search s = { schema.root, SCHEMAS_MAX };
    unsigned types = types_of(&s, schema.schema, 0);
    const char *word;

    if (types == 0)
        return ARGUMENT_UNKNOWN;
    *json = trimmed(value);
    unsigned type = reads_as(*json, &word);
    if (type & types & ~(unsigned)STRING) {
        if (word)
            *json = (ix_text_view){ word, strlen(word) };
        return ARGUMENT_JSON;
    }
    if (type == 0 && json->size > 0 &&
        ((types & ARRAY && strchr("[(", json->data[0])) || (types & OBJECT && *json->data == '{')))
        return ARGUMENT_PYTHON;
    /* What reads as another type, where no string is allowed, stays what the model wrote. */
    return type == 0 || word || types & STRING ? ARGUMENT_STRING : ARGUMENT_JSON;
}
