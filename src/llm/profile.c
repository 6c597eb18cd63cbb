/* inox_profile_begin and inox_profile_end: a plan's profile as JSON.
 *
 * Numbers are integers (nanoseconds, bytes, operations), because printing fractions depends on the
 * locale of the process.
 */
#include "llm/session.h"

#include "back/limits.h"

#include <inttypes.h>

static int64_t nanoseconds(double seconds)
{
    return (int64_t)(seconds * 1e9 + 0.5);
}

static inox_status append_step(const ix_step_profile *s, ix_buffer *out, inox_error *err)
{
    IX_TRY(ix_buffer_printf(out, err, "{\"stage\": %d, \"kind\": \"%s\", \"name\": ", s->stage,
                            s->kind));
    IX_TRY(ix_append_json_string(out, s->name, err));
    return ix_buffer_printf(out, err,
                            ", \"kernel\": \"%s\", \"unit\": \"%s\", \"busy_ns\": %" PRId64
                            ", \"idle_ns\": %" PRId64 ", \"bytes\": %" PRIu64
                            ", \"operations\": %" PRIu64 "}",
                            s->kernel, s->integer ? "integer" : "float", nanoseconds(s->busy_s),
                            nanoseconds(s->idle_s), s->bytes, s->operations);
}

static inox_status append_steps(const ix_profile *p, ix_buffer *out, inox_error *err)
{
    IX_TRY(ix_buffer_printf(
        out, err, "{\"threads\": %d, \"runs\": %" PRId64 ", \"wall_ns\": %" PRId64 ", \"steps\": [",
        p->threads, p->runs, nanoseconds(p->wall_s)));
    for (int32_t i = 0; i < p->step_count; i++) {
        IX_TRY(ix_buffer_printf(out, err, "%s", i == 0 ? "" : ", "));
        IX_TRY(append_step(&p->steps[i], out, err));
    }
    return ix_buffer_printf(out, err, "]");
}

static inox_status append_limits(const ix_limits *l, ix_buffer *out, inox_error *err)
{
    return ix_buffer_printf(out, err,
                            ", \"limits\": {\"read_bytes_per_s\": %" PRId64
                            ", \"integer_operations_per_s\": %" PRId64
                            ", \"float_operations_per_s\": %" PRId64 "}}",
                            (int64_t)l->read, (int64_t)l->integer, (int64_t)l->floats);
}

inox_status inox_profile_begin(inox_session *s, inox_error *err)
{
    if (s == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_profile_begin: the session is NULL");
    ix_lock_take(&s->model->lock);
    inox_status status = ix_backend_cpu.profile_begin(s->cache->variant->plan, err);
    ix_lock_give(&s->model->lock);
    return status;
}

inox_status inox_profile_end(inox_session *s, char **json, inox_error *err)
{
    if (s == NULL || json == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_profile_end: a pointer is NULL");
    *json = NULL;
    ix_profile profile = { 0 };
    ix_limits limits;
    ix_buffer out = { 0 };
    ix_lock_take(&s->model->lock);
    inox_status status = ix_backend_cpu.profile_end(s->cache->variant->plan, &profile, err);
    if (status == INOX_OK)
        status = append_steps(&profile, &out, err);
    ix_arena_release(&profile.arena);
    if (status == INOX_OK)
        status = ix_limits_measure(s->model->pool, s->model->isa, &limits, err);
    ix_lock_give(&s->model->lock);
    if (status == INOX_OK)
        status = append_limits(&limits, &out, err);
    if (status != INOX_OK) {
        ix_buffer_release(&out);
        return status;
    }
    *json = out.data;
    return INOX_OK;
}
