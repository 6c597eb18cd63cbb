/* The filters' functions, by file, for the table in filters.c; and what they share. */
#ifndef IX_TEXT_JINJA_FILTERS_H
#define IX_TEXT_JINJA_FILTERS_H

#include "text/jinja/library.h"
#include "text/jinja/strings.h"

#define IX_J_FILTER(name)                                                                          \
    inox_status ix_jf_##name(ix_jcall *c, ix_jvalue *out, inox_error *err) IX_MUST_USE

/* filters_text.c */
IX_J_FILTER(capitalize);
IX_J_FILTER(center);
IX_J_FILTER(filesizeformat);
IX_J_FILTER(format);
IX_J_FILTER(indent);
IX_J_FILTER(lower);
IX_J_FILTER(replace);
IX_J_FILTER(string);
IX_J_FILTER(title);
IX_J_FILTER(trim);
IX_J_FILTER(truncate);
IX_J_FILTER(upper);
IX_J_FILTER(wordcount);
IX_J_FILTER(wordwrap); /* wordwrap.c */

inox_status ix_jf_trim_write(ix_jcall *c, ix_jbuilder *b, inox_error *err) IX_MUST_USE;

/* html.c, urlize.c */
IX_J_FILTER(escape);
IX_J_FILTER(forceescape);
IX_J_FILTER(safe);
IX_J_FILTER(striptags);
IX_J_FILTER(urlencode);
IX_J_FILTER(xmlattr);
IX_J_FILTER(urlize);

/* filters_list.c */
IX_J_FILTER(batch);
IX_J_FILTER(dictsort);
IX_J_FILTER(groupby);
IX_J_FILTER(items);
IX_J_FILTER(join);
IX_J_FILTER(list);
IX_J_FILTER(map);
IX_J_FILTER(max);
IX_J_FILTER(min);
IX_J_FILTER(reject);
IX_J_FILTER(rejectattr);
IX_J_FILTER(reverse);
IX_J_FILTER(select);
IX_J_FILTER(selectattr);
IX_J_FILTER(slice);
IX_J_FILTER(sort);
IX_J_FILTER(sum);
IX_J_FILTER(unique);

/* tojson.c, pprint.c */
IX_J_FILTER(tojson);
inox_status ix_jf_tojson_write(ix_jcall *c, ix_jbuilder *b, inox_error *err) IX_MUST_USE;
IX_J_FILTER(pprint);

/* Looks at something inside of items: the attribute arguments of many filters. */
typedef struct ix_jgetter {
    ix_jvalue *parts; /* keys, one inside the other; none: the item itself */
    size_t count;
    ix_jvalue otherwise; /* for what is undefined on the way; IX_J_MISSING: leave it */
    bool fold;           /* strings in lower case */
} ix_jgetter;

/* attribute: none, "a.b.0", or any other key. */
inox_status ix_jg_new(ix_jrender *r, ix_jvalue attribute, ix_jvalue otherwise, bool fold,
                      ix_jgetter *out, inox_error *err) IX_MUST_USE;
inox_status ix_jg_get(ix_jrender *r, const ix_jgetter *g, ix_jvalue item, ix_jvalue *out,
                      inox_error *err) IX_MUST_USE;

/* *out = a < b, for sorting. */
typedef inox_status (*ix_jless)(ix_jrender *r, ix_jvalue a, ix_jvalue b, bool *out,
                                inox_error *err);

/* Sorts values by their keys: stable, ascending or (reverse) descending; by Python's < where less
 * is NULL. */
inox_status ix_j_sort(ix_jrender *r, ix_jvalue *keys, ix_jvalue *values, size_t count, bool reverse,
                      ix_jless less, inox_error *err) IX_MUST_USE;

#endif
