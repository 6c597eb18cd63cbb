/* HTML's named characters ("amp;" -> "&"), for striptags. */
#ifndef IX_TEXT_JINJA_ENTITIES_H
#define IX_TEXT_JINJA_ENTITIES_H

#include <stddef.h>

typedef struct ix_html_entity {
    const char *name; /* behind the '&'; with ';' or, for the oldest ones, also without */
    const char *text;
} ix_html_entity;

/* Sorted by the bytes of the names; the longest has 32. */
extern const size_t ix_html_entity_count;
extern const ix_html_entity ix_html_entities[];

#endif
