// SPDX-License-Identifier: Apache-2.0
// DNS queries in, DNS replies out: names under public keys from their packets, all others from an
// upstream.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/bridge/admission.h"
#include "core/bridge/answer_cache.h"
#include "core/bridge/chase.h"
#include "core/crypto/hash.h"
#include "core/engine/effect_queue.h"
#include "core/engine/entropy.h"

namespace dotkey::bridge {

// The driver's name for whoever waits for a reply.
enum class ClientId : std::uint64_t {};
// One thing that the bridge waits for.
enum class TaskId : std::uint64_t {};

struct BridgeSettings {
  AdmissionSettings admission;
  ChaseRules rules;
  AnswerCacheSettings cache;
  Duration timeout = Duration::from_s(10);
  // Questions under way, and queries that wait for them.
  std::uint32_t questions_max = 131'072;
  std::uint32_t waiting_max = 262'144;
};

// Effects, for the driver.
// Ask the resolver; its outcome comes back by on_outcome().
struct ResolveKey {
  TaskId id;
  crypto::PublicKey key;
};
// Ask the upstreams; what they say comes back by on_message().
struct AskUpstream {
  TaskId id;
  wire::dns::Name name;
  wire::dns::RecordType type;
  bool dnssec_ok = false;
  bool checking_disabled = false;
};
// Ask these name servers, without recursion; what they say comes back by on_message().
struct AskServers {
  TaskId id;
  std::vector<base::Endpoint> servers;
  wire::dns::Name name;
  wire::dns::RecordType type;
};
struct Reply {
  ClientId client;
  Bytes message;
};
using Effect = std::variant<ResolveKey, AskUpstream, AskServers, Reply>;

struct Counters {
  std::uint64_t queries = 0;
  std::uint64_t from_cache = 0;
  std::uint64_t malformed = 0;
  std::uint64_t refused = 0;
  std::uint64_t denied = 0;   // by the list of whom to serve
  std::uint64_t limited = 0;  // over their rate
  std::uint64_t joined = 0;   // waited for a question under way
  std::uint64_t truncated = 0;
  std::uint64_t name_errors = 0;
  std::uint64_t failures = 0;
};

// A state machine: after each input the driver drains poll_effect(), then arms one timer at
// next_deadline(). One query has at most one reply.
class Bridge {
 public:
  // Room that on_query() may want behind the query itself.
  static constexpr std::size_t reply_overhead_max = 64;

  // `entropy` is used only here.
  Bridge(BridgeSettings settings, engine::Entropy& entropy);
  Bridge(Bridge const&) = delete;
  Bridge& operator=(Bridge const&) = delete;

  // The first `size` bytes of `buffer` are a query. Returns the size of the reply written over it,
  // 0 for none at all, and nullopt when it comes later, as an effect for `client`. The buffer has
  // room for the longest reply on this transport: 1,232 bytes over UDP, else 65,535.
  std::optional<std::size_t> on_query(Moment now, Sender const& sender, ClientId client,
                                      std::span<std::uint8_t> buffer, std::size_t size);
  // Ids that are no longer waited for are ignored.
  void on_outcome(Moment now, TaskId id, resolve::Outcome const& outcome);
  void on_message(Moment now, TaskId id, base::Result<wire::dns::Message> const& message);
  // Some of what is due; next_deadline() says whether there is more.
  void on_deadline(Moment now);

  [[nodiscard]] std::optional<Effect> poll_effect() { return effects_.poll(); }
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] Counters const& counters() const { return counters_; }
  [[nodiscard]] AnswerCache const& cache() const { return cache_; }
  [[nodiscard]] std::size_t questions() const { return questions_.size(); }

 private:
  enum class Number : std::uint64_t {};  // of a question under way

  struct Waiting {
    ClientId client;
    Query query;  // its cookie points nowhere
    ReplyOptions options;
    Bytes head;  // header and question as sent
  };
  struct Question {
    QuestionKey key;
    Chase chase;
    TaskId task{};
    bool dnssec_ok = false;
    bool checking_disabled = false;
    std::vector<Waiting> waiting;
  };
  struct HashKey {
    std::size_t operator()(QuestionKey const& key) const {
      return static_cast<std::size_t>(key.hash());
    }
  };

  // The answer for those who are not admitted, nullptr for the others.
  Answer const* turn_away(Admitted admitted, Query const& query, ReplyOptions& options);
  // nullptr when the query is one to be resolved.
  [[nodiscard]] Answer const* standing_answer(Query const& query, QueryVerdict verdict) const;
  // False when there is no room for one more.
  bool ask(Moment now, ClientId client, Query const& query, QuestionKey const& key,
           ReplyOptions const& options, ByteView message);
  void go_on(Moment now, Number number, Question& question, ChaseStep step);
  void end(Moment now, Number number);
  TaskId add_task(Number number, Question& question);
  [[nodiscard]] Answer stale_instead(Answer answer, QuestionKey const& key, Instant now);
  std::size_t write(Query const& query, Answer const& answer, Instant now,
                    ReplyOptions const& options, std::span<std::uint8_t> buffer);

  BridgeSettings settings_;
  Admission admission_;
  std::uint64_t secret_;
  AnswerCache cache_;
  engine::EffectQueue<Effect> effects_;
  std::unordered_map<std::uint64_t, Question> questions_;  // by Number
  std::unordered_map<QuestionKey, Number, HashKey> numbers_;
  std::unordered_map<std::uint64_t, Number> tasks_;  // by TaskId
  std::deque<std::pair<Instant, Number>> deadlines_;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_task_ = 0;
  std::size_t waiting_ = 0;
  Counters counters_;

  // The same for everybody.
  Answer const malformed_;
  Answer const not_implemented_;
  Answer const bad_version_;
  Answer const empty_;
  Answer const bad_cookie_;
  Answer const denied_;
  Answer const limited_answer_;
  Answer const refused_;
  Answer const busy_;
  Answer const any_;
};

}  // namespace dotkey::bridge
