// SPDX-License-Identifier: Apache-2.0
// How DNS messages stand in a stream of bytes: behind their length (RFC 7766), or inside HTTP
// (RFC 8484).
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/bytes.h"

namespace dotkey::host::dns {

// Names one query of a connection until its reply.
using QueryToken = std::uint64_t;

class Framing {
 public:
  class Queries {
   public:
    // Its reply comes by Framing::reply(), perhaps before this returns.
    virtual void on_query(QueryToken token, base::ByteView query) = 0;
    // False: so much is waiting that no more input is wanted for now.
    [[nodiscard]] virtual bool wants_input() const = 0;

   protected:
    ~Queries() = default;
  };

  virtual ~Framing() = default;
  // Takes all of `input`, and keeps what cannot go on yet. Empty input: go on with what was kept.
  // False: the connection is to be closed once all is sent.
  virtual bool on_input(base::ByteView input, Queries& queries) = 0;
  // An empty message: there is none.
  virtual void reply(QueryToken token, base::ByteView message, base::Bytes& out) = 0;
  // Whether input was kept that can go on now.
  [[nodiscard]] virtual bool has_kept() const { return false; }
  // What the framing itself has to say, and what it held back.
  virtual void collect(base::Bytes& out) { static_cast<void>(out); }
};

std::unique_ptr<Framing> make_length_framing();
std::unique_ptr<Framing> make_http1_framing();
// Errors: nullptr without memory.
std::unique_ptr<Framing> make_http2_framing();

}  // namespace dotkey::host::dns
