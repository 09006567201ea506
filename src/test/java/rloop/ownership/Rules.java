package rloop.ownership;

import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionStatementTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LambdaExpressionTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.VariableElement;
import javax.lang.model.type.TypeKind;
import org.jspecify.annotations.Nullable;

/** What {@code @Owned} promises, checked method by method: no flow through branches or fields. */
final class Rules extends TreePathScanner<@Nullable Void, @Nullable Void> {
  private static final int TRAMPOLINE_ARGUMENTS = 4;

  private final Trees trees;
  private final CompilationUnitTree unit;
  private final List<String> findings;
  private final Values values;

  Rules(Trees trees, CompilationUnitTree unit, List<String> findings) {
    this.trees = trees;
    this.unit = unit;
    this.findings = findings;
    this.values = new Values(trees, new TreePath(unit));
  }

  private void report(Tree at, String what) {
    long position = trees.getSourcePositions().getStartPosition(unit, at);
    findings.add(
        String.format(
            Locale.ROOT,
            "%s:%d: %s: %s",
            Path.of(unit.getSourceFile().toUri().getPath()).getFileName(),
            unit.getLineMap().getLineNumber(position),
            what,
            at.toString().replace('\n', ' ')));
  }

  /** Somebody takes a reference: he shall not get one that is only borrowed. */
  private void taken(ExpressionTree given, String message) {
    for (ExpressionTree source : values.sources(given)) {
      if (!values.of(source).isOwned()) {
        report(given, message);
      }
    }
  }

  /** Somebody looks at a reference: nobody would have what a method has just returned. */
  private void lookedAt(ExpressionTree given, String message) {
    for (ExpressionTree source : values.sources(given)) {
      if (source instanceof MethodInvocationTree && values.of(source) == Possession.OWN) {
        report(given, message);
      }
    }
  }

  @Override
  public @Nullable Void visitExpressionStatement(
      ExpressionStatementTree statement, @Nullable Void unused) {
    if (!(statement.getExpression() instanceof AssignmentTree)) {
      lookedAt(statement.getExpression(), "an owned result is dropped");
    }
    return super.visitExpressionStatement(statement, null);
  }

  @Override
  public @Nullable Void visitMethodInvocation(MethodInvocationTree call, @Nullable Void unused) {
    passed(values.element(call), call.getArguments());
    return super.visitMethodInvocation(call, null);
  }

  @Override
  public @Nullable Void visitNewClass(NewClassTree creation, @Nullable Void unused) {
    passed(values.element(creation), creation.getArguments());
    return super.visitNewClass(creation, null);
  }

  private void passed(@Nullable Element callee, List<? extends ExpressionTree> arguments) {
    if (!(callee instanceof ExecutableElement method) || method.getParameters().isEmpty()) {
      return;
    }
    List<? extends VariableElement> parameters = method.getParameters();
    for (int i = 0; i < arguments.size(); i++) {
      VariableElement parameter = parameters.get(Math.min(i, parameters.size() - 1));
      if (Values.isOwned(parameter)) {
        taken(arguments.get(i), "a borrowed reference is given away to " + method);
      } else if (!Adoption.isOne(method, parameter)) {
        lookedAt(arguments.get(i), "an owned result is lost in " + method);
      }
    }
  }

  @Override
  public @Nullable Void visitVariable(VariableTree variable, @Nullable Void unused) {
    // A mark at a local variable says itself that it owns what comes from elsewhere.
    if (variable.getInitializer() != null
        && values.element(variable) instanceof VariableElement element
        && element.getKind().isField()) {
      kept(element, variable.getInitializer());
    }
    return super.visitVariable(variable, null);
  }

  @Override
  public @Nullable Void visitAssignment(AssignmentTree assignment, @Nullable Void unused) {
    if (values.element(assignment.getVariable()) instanceof VariableElement element) {
      kept(element, assignment.getExpression());
    }
    return super.visitAssignment(assignment, null);
  }

  private void kept(VariableElement variable, ExpressionTree value) {
    if (variable.asType().getKind() != TypeKind.LONG) {
      return; // an array is made by nobody in particular
    }
    if (Values.isOwned(variable)) {
      taken(value, "a borrowed reference is kept as owned by " + variable);
    } else if (!isConstant(variable) && !values.ofVariable(variable).isOwned()) {
      lookedAt(value, "an owned result is kept as borrowed by " + variable);
    }
  }

  /** Which has its reference for good. */
  private static boolean isConstant(VariableElement variable) {
    return variable.getModifiers().containsAll(Set.of(Modifier.STATIC, Modifier.FINAL));
  }

  @Override
  public @Nullable Void visitReturn(ReturnTree statement, @Nullable Void unused) {
    ExpressionTree value = statement.getExpression();
    ExecutableElement method = method();
    if (value != null && method != null && method.getReturnType().getKind() == TypeKind.LONG) {
      returned(method, value);
    }
    return super.visitReturn(statement, null);
  }

  /** The method that the scan is in, or null: what a lambda returns is not checked. */
  private @Nullable ExecutableElement method() {
    TreePath path = getCurrentPath();
    while (!(path.getLeaf() instanceof MethodTree)) {
      if (path.getLeaf() instanceof LambdaExpressionTree) {
        return null;
      }
      path = path.getParentPath();
    }
    return (ExecutableElement) trees.getElement(path);
  }

  private void returned(ExecutableElement method, ExpressionTree value) {
    if (Values.isOwned(method) || isCalledByTrampoline(method)) {
      taken(value, "a borrowed reference is returned as owned by " + method);
      return;
    }
    for (ExpressionTree source : values.sources(value)) {
      if (values.of(source) == Possession.OWN) {
        report(value, "an owned reference is returned as borrowed by " + method);
      }
    }
  }

  /** Python's own calls have one shape; Python owns what they return. */
  private static boolean isCalledByTrampoline(ExecutableElement method) {
    return method.getEnclosingElement().toString().startsWith("rloop.module.")
        && method.getModifiers().contains(Modifier.PRIVATE)
        && method.getParameters().size() == TRAMPOLINE_ARGUMENTS
        && method.getParameters().stream()
            .allMatch(parameter -> parameter.asType().getKind() == TypeKind.LONG);
  }
}
