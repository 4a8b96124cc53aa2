//! The page `/docs`, which shows the OpenAPI document. It has no script and loads nothing.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const STYLE: &str = include_str!("docs.css");

/// How deep nested schemas are shown; deeper ones have names of their own.
const MAX_DEPTH: usize = 4;

/// The whole page.
pub(crate) fn page(document: &Value) -> String {
    let title = text(&document["info"]["title"]);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}: the HTTP API</title><style>{STYLE}</style></head><body>\n<header><h1>{title} <small>{}</small></h1>{}\
         <p>The same for programs: <a href=\"/openapi.json\">/openapi.json</a></p></header>\n",
        text(&document["info"]["version"]),
        paragraphs(&document["info"]["description"]),
    );
    for tag in list(&document["tags"]) {
        let name = tag["name"].as_str().unwrap_or_default();
        let _ = write!(
            html,
            "<section aria-labelledby=\"{0}\"><h2 id=\"{0}\">{0}</h2>{1}",
            escaped(name),
            paragraphs(&tag["description"])
        );
        for (path, item) in entries(&document["paths"]) {
            for (method, operation) in entries(item) {
                let has_tag = list(&operation["tags"]).iter().any(|tag| tag == name);
                if has_tag {
                    write_operation(&mut html, document, path, method, operation);
                }
            }
        }
        html.push_str("</section>\n");
    }
    html.push_str("<section aria-labelledby=\"schemas\"><h2 id=\"schemas\">Shapes</h2>\n");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let name = escaped(name);
        let _ = write!(
            html,
            "<article id=\"schema-{name}\"><h3>{name}</h3>{}{}</article>",
            paragraphs(&schema["description"]),
            shape(schema, 0)
        );
    }
    html.push_str("</section></body></html>\n");
    html
}

fn write_operation(
    html: &mut String,
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
) {
    let method = escaped(&method.to_uppercase());
    let path = escaped(path);
    let summary = paragraphs(&operation["summary"]) + &paragraphs(&operation["description"]);
    let _ = write!(
        html,
        "<article><h3><span class=\"method\">{method}</span> <code>{path}</code></h3>{summary}"
    );
    let request = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !request.is_null() {
        let schema = resolved(document, request);
        let _ = write!(
            html,
            "<h4>Request: {}</h4>{}",
            type_of(request),
            shape(schema, 0)
        );
    }
    html.push_str("<h4>Answers</h4><dl>");
    for (status, response) in entries(&operation["responses"]) {
        let content = entries(&response["content"]).next();
        let shown = content.map_or_else(
            String::new,
            |(media_type, content)| match &content["schema"] {
                Value::Null => escaped(media_type),
                schema => type_of(schema),
            },
        );
        let _ = write!(
            html,
            "<dt><code>{}</code> {shown}</dt><dd>{}</dd>",
            escaped(status),
            inline(&response["description"])
        );
    }
    html.push_str("</dl></article>\n");
}

/// The schema that a `$ref` refers to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix('#'));
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(schema)
}

/// The fields of an object, or the type of another schema.
fn shape(schema: &Value, depth: usize) -> String {
    let mut html = String::new();
    let parts: Vec<&Value> = std::iter::once(schema)
        .chain(list(&schema["allOf"]))
        .collect();
    let mut has_fields = false;
    for part in parts {
        if let Some(name) = part["$ref"].as_str() {
            has_fields = true;
            let _ = write!(html, "<p>All of {}, and:</p>", link(name));
        }
        let fields: Vec<_> = entries(&part["properties"]).collect();
        if fields.is_empty() {
            continue;
        }
        has_fields = true;
        let required = list(&part["required"]);
        html.push_str("<dl>");
        for (name, field) in fields {
            let must = if required.iter().any(|required| required == name) {
                ""
            } else {
                " <em>optional</em>"
            };
            let _ = write!(
                html,
                "<dt><code>{}</code>: {}{must}</dt><dd>{}</dd>",
                escaped(name),
                type_of(field),
                inline(&field["description"])
            );
            if depth < MAX_DEPTH && !field["properties"].is_null() {
                let _ = write!(html, "<dd>{}</dd>", shape(field, depth + 1));
            }
        }
        html.push_str("</dl>");
    }
    if has_fields {
        html
    } else {
        format!("<p>{}</p>", type_of(schema))
    }
}

/// A type in a few words, with links to named schemas.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return link(name);
    }
    for several in ["oneOf", "anyOf"] {
        let choices = list(&schema[several]);
        if !choices.is_empty() {
            let choices: Vec<String> = choices.iter().map(type_of).collect();
            return choices.join(" | ");
        }
    }
    let values = list(&schema["enum"]);
    if !values.is_empty() {
        let values: Vec<String> = values
            .iter()
            .map(|value| format!("<code>{}</code>", escaped(&value.to_string())))
            .collect();
        return values.join(" | ");
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return "anything".to_owned(),
    };
    let names: Vec<String> = names
        .into_iter()
        .map(|name| match name {
            "array" => format!("list of {}", type_of(&schema["items"])),
            "object"
                if !schema["additionalProperties"].is_boolean()
                    && !schema["additionalProperties"].is_null() =>
            {
                format!(
                    "object of {} by name",
                    type_of(&schema["additionalProperties"])
                )
            }
            other => escaped(other),
        })
        .collect();
    names.join(" | ")
}

/// A link to the schema that a `$ref` refers to.
fn link(reference: &str) -> String {
    let name = escaped(reference.rsplit('/').next().unwrap_or_default());
    format!("<a href=\"#schema-{name}\">{name}</a>")
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

fn list(array: &Value) -> &[Value] {
    array.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn paragraphs(value: &Value) -> String {
    let written = value.as_str().unwrap_or_default();
    let parts = written.split("\n\n").filter(|part| !part.trim().is_empty());
    parts.fold(String::new(), |html, part| {
        html + "<p>" + &with_code(part) + "</p>"
    })
}

fn inline(value: &Value) -> String {
    with_code(value.as_str().unwrap_or_default())
}

/// Text between backticks as code.
fn with_code(written: &str) -> String {
    let parts = written.split('`').enumerate();
    parts
        .map(|(at, part)| match at % 2 {
            0 => escaped(part),
            _ => format!("<code>{}</code>", escaped(part)),
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_in_the_document_is_markup() {
        let page = page(&json!({
            "info": { "title": "<script>", "version": "\"1\"", "description": "a `<b>` c\n\nd" },
            "tags": [{ "name": "T", "description": "<i>" }],
            "paths": { "/<x>": { "get": {
                "tags": ["T"], "summary": "<u>",
                "responses": { "200": { "description": "<s>" } },
            } } },
            "components": { "schemas": { "N": {
                "type": "object", "required": ["a"],
                "properties": {
                    "a": { "type": ["string", "null"], "description": "<em>" },
                    "b": { "type": "array", "items": { "$ref": "#/components/schemas/N" } },
                    "c": { "enum": ["<p>"] },
                },
            } } },
        }));
        for tag in ["<script>", "<b>", "<i>", "<u>", "<s>", "<x>"] {
            assert!(!page.contains(tag), "{tag} in {page}");
        }
        assert!(page.contains("a <code>&lt;b&gt;</code> c</p><p>d</p>"));
        assert!(page.contains("<code>a</code>: string | null</dt>"));
        assert!(page.contains("list of <a href=\"#schema-N\">N</a> <em>optional</em>"));
    }

    #[test]
    fn no_document_makes_it_panic() {
        for document in [json!(null), json!([]), json!({ "paths": 3, "tags": [1] })] {
            assert!(page(&document).starts_with("<!doctype html>"));
        }
    }
}
