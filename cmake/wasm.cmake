# The third-party parts of the WebAssembly build. A cross compiler never sees /usr/include: the one
# header-only library of core/ is linked into a folder of its own.
set(DOTKEY_DEPS ${CMAKE_SOURCE_DIR}/build/deps)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include)
file(CREATE_LINK /usr/include/tl ${CMAKE_BINARY_DIR}/include/tl SYMBOLIC)
target_include_directories(dotkey_options SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/include)

include(cmake/libsodium.cmake)
include(cmake/mbedtls.cmake)
