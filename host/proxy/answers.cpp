// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/answers.h"

namespace dotkey::host::proxy {
namespace {

std::string_view phrase_of(int status) {
  switch (status) {
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 407:
      return "Proxy Authentication Required";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Gateway";
  }
}

std::string answer(int status, std::string_view fields, std::string_view type,
                   std::string_view body) {
  std::string text = "HTTP/1.1 ";
  text.append(std::to_string(status)).append(" ").append(phrase_of(status)).append("\r\n");
  text.append("Content-Type: ").append(type).append("\r\nContent-Length: ");
  text.append(std::to_string(body.size()));
  text.append("\r\nCache-Control: no-store\r\nContent-Security-Policy: default-src 'none'\r\n");
  text.append("X-Content-Type-Options: nosniff\r\n").append(fields);
  text.append("Connection: close\r\n\r\n").append(body);
  return text;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (char const c : text) {
    switch (c) {
      case '&':
        escaped.append("&amp;");
        break;
      case '<':
        escaped.append("&lt;");
        break;
      case '>':
        escaped.append("&gt;");
        break;
      case '"':
        escaped.append("&quot;");
        break;
      default:
        escaped.push_back(c);
    }
  }
  return escaped;
}

}  // namespace

std::string refusal_of_connect(int status, std::string_view slug) {
  std::string body(slug);
  body.push_back('\n');
  std::string field = "X-Dotkey-Refusal: ";
  field.append(slug).append("\r\n");
  return answer(status, field, "text/plain", body);
}

std::string refusal_page(int status, std::string_view host, std::string_view slug,
                         std::string_view advice) {
  std::string body = "<!doctype html><meta charset=\"utf-8\"><title>dotkey: ";
  body.append(escape_html(slug)).append("</title><h1>This page was not opened</h1><p><b>");
  body.append(escape_html(host)).append("</b></p><p>").append(escape_html(advice));
  body.append("</p><p><code>").append(escape_html(slug)).append("</code></p>\n");
  return answer(status, "", "text/html; charset=utf-8", body);
}

std::string redirect_to_https(std::string_view host, std::string_view path) {
  std::string field = "Location: https://";
  field.append(host).append(path).append("\r\n");
  return answer(307, field, "text/plain", "");
}

std::string credentials_wanted() {
  return answer(407, "Proxy-Authenticate: Basic realm=\"dotkey\"\r\n", "text/plain", "");
}

}  // namespace dotkey::host::proxy
