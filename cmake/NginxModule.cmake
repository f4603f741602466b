message(STATUS "nginx module: nothing to build yet")
