/* A profile for people: steps of the same kind over all layers become one line, held against the
 * machine's limits.
 *
 * Times are of all threads divided by their number, so that the lines of a profile and what was
 * waited add up to the time that passed.  The share of the limit is the time that the step would
 * take if it moved its bytes at the speed of reading, or did its operations at the peak of the
 * units, whichever takes longer, over the time that it took.  What lies in a cache can pass 100 %.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s == NULL ? "" : s;
}

/* "blk.12.ffn_up.weight" is "blk.*.ffn_up.weight": numbers between dots are layers. */
static void name_of_all_layers(const char *name, char *out, size_t room)
{
    size_t n = 0;
    for (const char *s = name; *s != '\0' && n + 1 < room;) {
        size_t digits = strspn(s, "0123456789");
        if (digits > 0 && s > name && s[-1] == '.' && s[digits] == '.') {
            out[n++] = '*';
            s += digits;
        } else {
            out[n++] = *s++;
        }
    }
    out[n] = '\0';
}

/* The line that a step belongs to; new ones stand at the end. */
static json_t *line_of(json_t *lines, const json_t *step)
{
    static const char *const keys[] = { "kind", "kernel", "unit" };
    char name[256];
    size_t i;
    json_t *line;
    name_of_all_layers(text(step, "name"), name, sizeof name);
    json_array_foreach(lines, i, line)
    {
        bool same = strcmp(text(line, "name"), name) == 0;
        for (size_t k = 0; k < 3 && same; k++)
            same = strcmp(text(line, keys[k]), text(step, keys[k])) == 0;
        if (same)
            return line;
    }
    line = json_pack("{s:s, s:o, s:s, s:s, s:i, s:f, s:f, s:f, s:f}", "kind", text(step, "kind"),
                     "name", json_text(name, strlen(name)), "kernel", text(step, "kernel"), "unit",
                     text(step, "unit"), "steps", 0, "time_s", 0.0, "idle_s", 0.0, "bytes", 0.0,
                     "operations", 0.0);
    json_array_append_new(lines, line);
    return line;
}

static void add(json_t *line, const char *key, double more)
{
    json_object_set_new(line, key, json_real(number(line, key) + more));
}

static void hold_against_limits(json_t *line, const json_t *limits, double wall_s)
{
    bool integer = strcmp(text(line, "unit"), "integer") == 0;
    double read = number(limits, "read_bytes_per_s");
    double peak = number(limits, integer ? "integer_operations_per_s" : "float_operations_per_s");
    double time = number(line, "time_s"), bytes = number(line, "bytes"),
           operations = number(line, "operations");
    double reading = read > 0 ? bytes / read : 0, computing = peak > 0 ? operations / peak : 0;
    const char *limit = computing > reading ? text(line, "unit") : reading > 0 ? "read" : "";
    json_object_set_new(line, "limit", json_string(limit));
    json_object_set_new(
        line, "limit_share",
        json_real(time > 0 ? (computing > reading ? computing : reading) / time : 0));
    json_object_set_new(line, "share", json_real(wall_s > 0 ? time / wall_s : 0));
}

static int by_time(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    double p = number(x, "time_s") + number(x, "idle_s");
    double q = number(y, "time_s") + number(y, "idle_s");
    return p < q ? 1 : p > q ? -1 : 0;
}

/* The lines in a new array, the longest first. */
static json_t *sorted(const json_t *lines)
{
    size_t n = json_array_size(lines);
    json_t **order = malloc((n + 1) * sizeof *order), *out = json_array();
    if (order == NULL)
        return out;
    for (size_t i = 0; i < n; i++)
        order[i] = json_array_get(lines, i);
    qsort(order, n, sizeof *order, by_time);
    for (size_t i = 0; i < n; i++)
        json_array_append(out, order[i]);
    free(order);
    return out;
}

json_t *profile_by_layers(const char *profile)
{
    json_t *in = json_loads(profile, 0, NULL), *lines = json_array(), *step;
    const json_t *limits = json_object_get(in, "limits");
    double threads = number(in, "threads"), wall_s = number(in, "wall_ns") * 1e-9;
    size_t i;
    json_array_foreach(json_object_get(in, "steps"), i, step)
    {
        json_t *line = line_of(lines, step);
        json_object_set_new(line, "steps", json_integer((json_int_t)number(line, "steps") + 1));
        add(line, "time_s", number(step, "busy_ns") * 1e-9 / threads);
        add(line, "idle_s", number(step, "idle_ns") * 1e-9 / threads);
        add(line, "bytes", number(step, "bytes"));
        add(line, "operations", number(step, "operations"));
    }
    double idle_s = 0;
    json_array_foreach(lines, i, step)
    {
        hold_against_limits(step, limits, wall_s);
        idle_s += number(step, "idle_s");
    }
    json_t *out = json_pack("{s:O, s:f, s:f, s:O, s:o}", "runs", json_object_get(in, "runs"),
                            "wall_s", wall_s, "idle_share", wall_s > 0 ? idle_s / wall_s : 0.0,
                            "limits", limits, "lines", sorted(lines));
    json_decref(lines);
    json_decref(in);
    return out;
}

void print_profile(const char *what, const json_t *profile)
{
    const json_t *limits = json_object_get(profile, "limits");
    size_t i;
    json_t *line;
    printf("\n%s: %.3f s, %.0f runs, %.1f %% waiting. Limits: read %.1f GB/s, integer %.0f Gop/s, "
           "float %.0f Gop/s\n",
           what, number(profile, "wall_s"), number(profile, "runs"),
           100 * number(profile, "idle_share"), 1e-9 * number(limits, "read_bytes_per_s"),
           1e-9 * number(limits, "integer_operations_per_s"),
           1e-9 * number(limits, "float_operations_per_s"));
    printf("  share   time ms   wait ms      MB    GB/s   Gop/s  of limit     steps\n");
    json_array_foreach(json_object_get(profile, "lines"), i, line)
    {
        double time = number(line, "time_s"), rate = time > 0 ? 1e-9 / time : 0;
        printf("%6.1f%% %9.3f %9.3f %7.1f %7.1f %7.1f %4.0f%% %-7s %4.0f x %s %s",
               100 * number(line, "share"), 1e3 * time, 1e3 * number(line, "idle_s"),
               1e-6 * number(line, "bytes"), number(line, "bytes") * rate,
               number(line, "operations") * rate, 100 * number(line, "limit_share"),
               text(line, "limit"), number(line, "steps"), text(line, "kind"), text(line, "name"));
        printf("%s%s\n", text(line, "kernel")[0] == '\0' ? "" : " by ", text(line, "kernel"));
    }
}
