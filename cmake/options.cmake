# Compile options live on interface targets, never in global flags.
#   dotkey_options       every target of ours: warnings, sanitizers
#   dotkey_core_options  core/ alone: no exceptions, no RTTI

add_library(dotkey_options INTERFACE)
target_compile_options(dotkey_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror
  # At -O3 g++ 12 sees overflows, overlaps and uninitialized bytes in std::vector, std::string and
  # std::optional that are not there (GCC bugs 80635, 105329, 105651). clang and the sanitizers
  # watch for the real ones.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(dotkey_options INTERFACE ${CMAKE_SOURCE_DIR})

if(DOTKEY_SANITIZE)
  # -fno-sanitize=vptr: that check needs the RTTI which core/ is built without.
  add_compile_options(-fsanitize=${DOTKEY_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DOTKEY_SANITIZE})
endif()
if(DOTKEY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_library(dotkey_core_options INTERFACE)
target_compile_options(dotkey_core_options INTERFACE -fno-exceptions -fno-rtti)
target_link_libraries(dotkey_core_options INTERFACE dotkey_options)

# dotkey_core_module(NAME [SOURCES ...] [DEPENDS ...]): one static library per folder of core/.
# DEPENDS names the core modules that this one may include; tests/lint checks the same arrows.
function(dotkey_core_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  set(target dotkey_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE dotkey_core_options ${arg_LIBRARIES})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  foreach(dep IN LISTS arg_DEPENDS)
    target_link_libraries(${target} PUBLIC dotkey_${dep})
  endforeach()
endfunction()
