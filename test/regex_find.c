/* Finds all matches, for test_regex.py: a line {"syntax", "expression", "text"} of standard input
 * gives a line {"matches": [[start, end], ...], "steps"} in bytes, or {"error": "..."}.  Syntax:
 * oniguruma, rust. */
#include "text/regex/regex.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *find(const json_t *in, ix_regex_search *search)
{
    const json_t *e = json_object_get(in, "expression"), *text = json_object_get(in, "text");
    const char *syntax = json_string_value(json_object_get(in, "syntax"));
    bool rust = syntax && strcmp(syntax, "rust") == 0, found = true;
    ix_regex *r = NULL;
    inox_error err;
    size_t start, end;
    uint64_t before = search->steps;
    json_t *matches = json_array();
    inox_status status = ix_regex_new(json_string_value(e), json_string_length(e),
                                      rust ? IX_REGEX_RUST : IX_REGEX_ONIGURUMA, &r, &err);
    if (status == INOX_OK)
        ix_regex_start(search, r, json_string_value(text), json_string_length(text));
    while (status == INOX_OK && found) {
        status = ix_regex_next(search, &start, &end, &found, &err);
        if (status == INOX_OK && found)
            json_array_append_new(matches, json_pack("[ii]", (int)start, (int)end));
    }
    json_t *out = status == INOX_OK ? json_pack("{sosI}", "matches", matches, "steps",
                                                (json_int_t)(search->steps - before))
                                    : json_pack("{ss}", "error", err.message);
    if (status != INOX_OK)
        json_decref(matches);
    ix_regex_free(r);
    return out;
}

int main(void)
{
    ix_regex_search search = { 0 };
    json_t *in;
    while ((in = json_loadf(stdin, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL))) {
        json_t *out = find(in, &search);
        json_dumpf(out, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(out);
        json_decref(in);
    }
    ix_regex_release(&search);
    return 0;
}
