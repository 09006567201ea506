package rloop.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

final class AssignmentsTest {
  @Property(tries = 200)
  void what_is_assigned_is_found(
      @ForAll @Size(max = 20) Map<@AlphaChars @StringLength(min = 1) String, Integer> expected) {
    StringBuilder text = new StringBuilder();
    expected.forEach(
        (name, value) -> text.append(text.isEmpty() ? "" : ",").append(name + "=" + value));
    Assignments assignments = new Assignments(text.toString());
    expected.forEach((name, value) -> assertThat(assignments.required(name)).isEqualTo(value));
  }

  @Test
  void a_missing_required_name_is_named() {
    Assignments assignments = new Assignments("EINTR=4,EPERM=1");
    assertThatExceptionOfType(LinkageError.class)
        .isThrownBy(() -> assignments.required("EAGAIN"))
        .withMessageContaining("lacks EAGAIN")
        .withMessageContaining("2 names");
  }

  @Test
  void a_missing_optional_name_has_its_absent_value() {
    assertThat(new Assignments("").optional("EPOLLIN", 0)).isZero();
    assertThat(new Assignments("EPOLLIN=1").optional("EPOLLIN", 0)).isEqualTo(1);
  }

  @Test
  void what_is_no_assignment_is_quoted() {
    assertThatExceptionOfType(LinkageError.class)
        .isThrownBy(() -> new Assignments("EINTR=4,EAGAIN"))
        .withMessageContaining("'EAGAIN'");
    assertThatExceptionOfType(LinkageError.class)
        .isThrownBy(() -> new Assignments("EINTR=four"))
        .withMessageContaining("'EINTR=four'");
  }
}
