// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/base/text.h"

#include "host/proxy/client_hello.h"
#include "host/proxy/request_head.h"
#include "host/proxy/stream.h"

namespace dotkey::host::proxy {
namespace {

bool is_read(std::string const& head) {
  return parse_request_head(head).has_value();
}

TEST(request_head, connect_names_a_host_and_a_port) {
  auto const head =
      parse_request_head("CONNECT Sub.Abc.KEY.:8443 HTTP/1.1\r\nHost: sub.abc.key:8443\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->is_connect());
  EXPECT_EQ(head->host, "sub.abc.key");
  EXPECT_EQ(head->port, 8443);
}

TEST(request_head, an_absolute_target_is_taken_apart) {
  auto const head =
      parse_request_head("GET http://abc.key:81?q HTTP/1.1\r\nHost: abc.key:81\r\nA: b \r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->host, "abc.key");
  EXPECT_EQ(head->port, 81);
  EXPECT_EQ(head->path, "/?q");
  ASSERT_NE(head->field("a"), nullptr);
  EXPECT_EQ(*head->field("a"), "b");
}

TEST(request_head, what_two_readers_could_read_differently_is_refused) {
  std::string const start = "POST http://abc.key/ HTTP/1.1\r\nHost: abc.key\r\n";
  EXPECT_TRUE(is_read(start + "Content-Length: 5\r\n\r\n"));
  EXPECT_TRUE(is_read(start + "Transfer-Encoding: chunked\r\n\r\n"));
  for (char const* const rest : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
           "Content-Length: +5\r\n\r\n",
           "Content-Length: 5, 5\r\n\r\n",
           "Content-Length: 99999999999999999999\r\n\r\n",
           "Transfer-Encoding: chunked, identity\r\n\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           "Transfer-Encoding : chunked\r\n\r\n",
           "A: b\r\n folded\r\n\r\n",
           "A: b\nC: d\r\n\r\n",
           "A: b\rC: d\r\n\r\n",
           "Host: abc.key\r\n\r\n",
           ": b\r\n\r\n",
           "A\r\n\r\n",
           "A: b\r\n\r\nmore",
       }) {
    EXPECT_FALSE(is_read(start + rest)) << rest;
  }
  EXPECT_FALSE(is_read(start + std::string("A: \0b\r\n\r\n", 9)));
}

TEST(request_head, targets_that_are_not_plain_are_refused) {
  auto const line = [](std::string const& text) {
    return is_read(text + "\r\nHost: abc.key\r\n\r\n");
  };
  EXPECT_TRUE(line("GET http://abc.key/ HTTP/1.1"));
  EXPECT_TRUE(is_read("GET http://abc.key/ HTTP/1.0\r\n\r\n"));
  for (char const* const text : {
           "GET / HTTP/1.1",
           "GET https://abc.key/ HTTP/1.1",
           "GET http://u@abc.key/ HTTP/1.1",
           "GET http://abc.key/#f HTTP/1.1",
           "GET http://abc.key:0/ HTTP/1.1",
           "GET http://abc.key:080/ HTTP/1.1",
           "GET http://other.key/ HTTP/1.1",
           "GET  http://abc.key/ HTTP/1.1",
           "GET http://abc.key/a b HTTP/1.1",
           "GET http://abc.key/ HTTP/2.0",
           "GET http://abc.key/ http/1.1",
           "G=T http://abc.key/ HTTP/1.1\r\nX",
           "GET http://%61bc.key/ HTTP/1.1",
           "GET http://abc.key../ HTTP/1.1",
           "GET http://abc..key/ HTTP/1.1",
           "GET http://.abc.key/ HTTP/1.1",
           "CONNECT abc.key HTTP/1.1",
           "CONNECT abc.key:443/ HTTP/1.1",
           "CONNECT http://abc.key:443 HTTP/1.1",
           "CONNECT [::1]:443 HTTP/1.1",
           " GET http://abc.key/ HTTP/1.1",
       }) {
    EXPECT_FALSE(line(text)) << text;
  }
  EXPECT_FALSE(is_read("GET http://abc.key/ HTTP/1.1\r\n\r\n"));
}

// The hello that OpenSSL would send.
base::Bytes make_hello(std::string const& name, std::string_view alpn) {
  SslContextPtr const context(SSL_CTX_new(TLS_client_method()));
  SslPtr const ssl(SSL_new(context.get()));
  if (!name.empty()) SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  SSL_set_alpn_protos(ssl.get(), reinterpret_cast<unsigned char const*>(alpn.data()),
                      static_cast<unsigned>(alpn.size()));
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(ssl.get());
  char* data = nullptr;
  long const size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &data);
  return base::to_bytes(std::string_view(data, static_cast<std::size_t>(size)));
}

// The same handshake bytes in records of at most `size`.
base::Bytes fragment(base::Bytes const& hello, std::size_t size) {
  base::Bytes cut;
  for (std::size_t at = 5; at < hello.size(); at += size) {
    std::size_t const n = std::min(size, hello.size() - at);
    cut.insert(cut.end(),
               {22, 3, 1, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n & 0xff)});
    base::append(cut, base::ByteView(hello).subspan(at, n));
  }
  return cut;
}

TEST(client_hello, name_and_protocols_are_found) {
  HelloOutcome const outcome = parse_client_hello(make_hello("WWW.abc.KEY.", "\x02h2\x08http/1.1"));
  ASSERT_EQ(outcome.status, HelloStatus::complete);
  EXPECT_EQ(outcome.hello.server_name, "www.abc.key");
  EXPECT_EQ(outcome.hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
}

TEST(client_hello, every_prefix_is_incomplete_in_every_fragmentation) {
  base::Bytes const hello = make_hello("abc.key", "\x02h2");
  for (std::size_t const size : {1U, 3U, 50U, 100'000U}) {
    base::Bytes const cut = size > hello.size() ? hello : fragment(hello, size);
    for (std::size_t n = 0; n < cut.size(); ++n) {
      ASSERT_EQ(parse_client_hello(base::ByteView(cut).first(n)).status, HelloStatus::incomplete);
    }
    HelloOutcome const outcome = parse_client_hello(cut);
    ASSERT_EQ(outcome.status, HelloStatus::complete);
    EXPECT_EQ(outcome.hello.wire_size, cut.size());
    EXPECT_EQ(outcome.hello.server_name, "abc.key");
  }
}

TEST(client_hello, what_is_something_else_is_known_at_once) {
  for (std::string_view const text :
       {"GET / HTTP/1.1\r\n", "\x15\x03\x01", "\x16\x02", "SSH-2.0"}) {
    EXPECT_EQ(parse_client_hello(base::view_of(text)).status, HelloStatus::malformed);
  }
  base::Bytes const empty_record{22, 3, 1, 0, 0};
  EXPECT_EQ(parse_client_hello(empty_record).status, HelloStatus::malformed);
  base::Bytes const server_hello{22, 3, 3, 0, 5, 2, 0, 0, 1, 0};
  EXPECT_EQ(parse_client_hello(server_hello).status, HelloStatus::malformed);
  base::Bytes const huge{22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff};
  EXPECT_EQ(parse_client_hello(huge).status, HelloStatus::malformed);
}

}  // namespace
}  // namespace dotkey::host::proxy
