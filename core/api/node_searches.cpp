// SPDX-License-Identifier: Apache-2.0
// Endpoint searches: each asks the resolver for the keys that its way crosses.
#include <algorithm>
#include <utility>

#include "core/api/node.h"

namespace dotkey::api {

using base::ErrorCode;
using base::Result;

Result<RequestId> Node::find_endpoints(Moment now, resolve::EndpointQuery query,
                                       EndpointOptions const& options) {
  if (searches_.size() >= settings_.searches_max) return base::fail(ErrorCode::resolve_busy);
  RequestId const id = next_request();
  searches_.emplace(id, Search{resolve::EndpointSearch(std::move(query), *entropy_), options, {}});
  ask_for_wanted(now, id);
  pump(now);
  return id;
}

void Node::ask_for_wanted(Moment now, RequestId id) {
  for (;;) {
    Search& search = searches_.at(id);
    auto const wanted = search.search.take_wanted_keys();
    if (wanted.empty()) break;
    for (PublicKey const& key : wanted) {
      load_from_archive(now, key);
      auto const question = resolver_.ask(now, key, search.options.resolve);
      if (question) {
        search.questions.push_back(*question);
        search_questions_.emplace(*question, SearchQuestion{id, key});
        continue;
      }
      resolve::Outcome busy;
      busy.error = question.error();
      search.search.on_outcome(key, std::move(busy));
    }
  }
  end_search_if_done(id);
}

// True when the question was a search's.
bool Node::take_search_answer(Moment now, resolve::QuestionId question, resolve::Outcome& outcome) {
  auto const asked = search_questions_.extract(question);
  if (asked.empty()) return false;
  auto const [id, key] = asked.mapped();
  auto const found = searches_.find(id);
  if (found == searches_.end()) return true;
  std::erase(found->second.questions, question);
  found->second.search.on_outcome(key, std::move(outcome));
  ask_for_wanted(now, id);
  return true;
}

void Node::end_search_if_done(RequestId id) {
  Search const& search = searches_.at(id);
  bool const early = search.options.first_will_do && search.search.settled() > 0;
  if (search.search.is_done() || early) end_search(id);
}

// Questions that are still open go on for the cache's sake, but nobody waits for them.
void Node::end_search(RequestId id) {
  auto node = searches_.extract(id);
  for (resolve::QuestionId const question : node.mapped().questions) {
    search_questions_.erase(question);
  }
  effects_.push_always(EndpointsFound{id, std::move(node.mapped().search)});
}

}  // namespace dotkey::api
