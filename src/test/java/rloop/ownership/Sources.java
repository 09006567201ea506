package rloop.ownership;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** Has javac read sources, in which {@code @Owned} can still be seen, and reports on them. */
final class Sources {
  private static final Path ROOT = Path.of("src/main/java");
  private static final JavaCompiler JAVAC = ToolProvider.getSystemJavaCompiler();

  private Sources() {}

  /** What is wrong in all of the project's classes. */
  static List<String> findingsOfAll() throws IOException {
    try (StandardJavaFileManager files = JAVAC.getStandardFileManager(null, null, null);
        Stream<Path> paths = Files.walk(ROOT)) {
      List<Path> sources = paths.filter(path -> path.toString().endsWith(".java")).toList();
      return findings(files.getJavaFileObjectsFromPaths(sources));
    }
  }

  /** What is wrong in one class, which may use the project's. */
  static List<String> findingsOf(String name, String text) throws IOException {
    URI uri = URI.create("string:///" + name + ".java");
    return findings(
        List.of(
            new SimpleJavaFileObject(uri, JavaFileObject.Kind.SOURCE) {
              @Override
              public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
              }
            }));
  }

  private static List<String> findings(Iterable<? extends JavaFileObject> sources)
      throws IOException {
    DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
    JavacTask task = (JavacTask) JAVAC.getTask(null, null, diagnostics, options(), null, sources);
    List<CompilationUnitTree> units = new ArrayList<>();
    task.parse().forEach(units::add);
    task.analyze();
    for (Diagnostic<?> diagnostic : diagnostics.getDiagnostics()) {
      if (diagnostic.getKind() == Diagnostic.Kind.ERROR) {
        throw new IllegalArgumentException(diagnostic.toString());
      }
    }
    List<String> findings = new ArrayList<>();
    for (CompilationUnitTree unit : units) {
      new Rules(Trees.instance(task), unit, findings).scan(unit, null);
    }
    return findings;
  }

  private static List<String> options() {
    String jspecify =
        Path.of(URI.create(Nullable.class.getProtectionDomain().getCodeSource().getLocation() + ""))
            .toString();
    List<String> options =
        new ArrayList<>(List.of("-proc:none", "-sourcepath", ROOT + "", "-classpath", jspecify));
    // This JVM may look into the same packages of the JDK as the sources.
    for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (argument.startsWith("--add-exports")) {
        options.add(argument);
      }
    }
    return options;
  }
}
