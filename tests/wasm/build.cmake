# Configures the wasm preset where it is new, and builds it.
foreach(step "--preset;wasm" "--build;--preset;wasm")
  execute_process(COMMAND ${CMAKE_COMMAND} ${step} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
